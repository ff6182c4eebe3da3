"""What evaluating means for each task, and what a network is held against."""
