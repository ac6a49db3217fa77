"""Talking to GitHub: verified events in, classified answers out. It judges no pull request."""
