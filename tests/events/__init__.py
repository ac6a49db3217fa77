"""Tests of what follows from what GitHub says."""
