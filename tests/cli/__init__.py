"""Tests of ghapp/cli."""
