"""Tests of what a repository decides, and since when."""
