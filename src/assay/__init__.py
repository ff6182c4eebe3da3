"""Assay: an experiment pipeline for deep learning in which every claim can be checked."""
