"""The gate: pure functions that decide whether a model may become champion, and say why."""
