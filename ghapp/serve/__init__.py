"""Serve: all programs of the app on one machine, and where they can be found there."""
