"""Tests of reading repositories with git."""
