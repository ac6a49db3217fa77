"""Tests of talking to GitHub."""
