"""Data: one module for each kind of raw data, what was learned of it, and the prepared arrays."""
