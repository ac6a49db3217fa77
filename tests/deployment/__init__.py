"""Dockerfile, compose.yaml and deploy/, held to published schemas and to what the program is."""
