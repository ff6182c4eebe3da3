"""A candidate built, fitted and scored, and how a fit that was cut off goes on."""
