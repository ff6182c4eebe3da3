"""What is checked before anything runs: known keys, models that fit the data, pinned sources."""
