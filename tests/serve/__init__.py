"""Tests of serving the whole app on one machine."""
