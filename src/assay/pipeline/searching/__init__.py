"""What a trial of a search or a sweep is, and what it costs."""
