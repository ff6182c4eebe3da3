"""The wiring between rooms that stages and commands share."""
