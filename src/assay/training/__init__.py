"""Training: the one room that knows Lightning."""
