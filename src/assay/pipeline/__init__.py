"""The wiring that search, train and ``assay run`` share."""
