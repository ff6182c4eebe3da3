"""Hydra's door to Assay's search: ``hydra/sweeper=assay``."""
