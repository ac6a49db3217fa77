"""Tests of the background chores."""
