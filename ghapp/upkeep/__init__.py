"""Background chores: outcomes of pull requests, teams, and the weekly summary."""
