"""Simple models on the same split: what the network has to be better than."""
