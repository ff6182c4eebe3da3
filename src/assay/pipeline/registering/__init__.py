"""What is registered, what the gate is told, and whether a version still is what was measured."""
