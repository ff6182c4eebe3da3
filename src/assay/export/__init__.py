"""From a trained network to one ONNX graph that takes the user's own columns."""
