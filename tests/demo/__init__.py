"""Tests of the demo and of its stand-in for GitHub."""
