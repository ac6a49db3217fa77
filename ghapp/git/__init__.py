"""Repositories read with the git command: their objects, history and remotes. It asks no GitHub."""
