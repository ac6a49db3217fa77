"""Repositories, read with the git command: objects, history, remotes. It does not ask GitHub."""
