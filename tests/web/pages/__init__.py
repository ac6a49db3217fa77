"""Tests of the pages, one module each."""
