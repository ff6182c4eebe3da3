"""Which row belongs to which split, and what to check before anyone learns from it."""
