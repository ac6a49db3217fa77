"""Tests of tokens in agents' records."""
