"""Blocks that models share, and the fixed layers around every network."""
