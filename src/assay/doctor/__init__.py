"""What ``assay doctor`` looks at, and how it mends what a machine's bad day left behind."""
