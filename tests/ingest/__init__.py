"""Tests of the ways in which evidence arrives."""
