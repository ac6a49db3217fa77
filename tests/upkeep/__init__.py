"""Tests of chores in the background."""
