"""How good predictions are: objectives, scores, bootstrap intervals and curves."""
