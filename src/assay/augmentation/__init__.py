"""Augmentation: changed copies of training batches, a pure function of seed and step."""
