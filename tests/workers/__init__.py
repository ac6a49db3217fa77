"""Tests of the workers, one module each."""
