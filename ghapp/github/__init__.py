"""Verified events from GitHub, and requests to it with classified answers. It judges nothing."""
