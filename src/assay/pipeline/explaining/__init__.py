"""Every explanation asked, scored and drawn."""
