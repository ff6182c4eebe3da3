"""Everything about MLflow: the store, the tree of runs, and the model registry."""
