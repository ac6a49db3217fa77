"""Tests of the web, one module each."""
