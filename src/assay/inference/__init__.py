"""Run the exported graph: what it takes, feeds for it, and what its outputs say."""
