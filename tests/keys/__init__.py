"""Tests of keys, and of comparing lines with them."""
