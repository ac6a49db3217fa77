"""Chores in the background: what came of pull requests, who is in which team, weekly mail."""
