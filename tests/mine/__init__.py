"""Tests of what developers may ask of their own machine."""
