"""Whether rows are still like those on which a model was measured."""
