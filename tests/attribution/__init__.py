"""Tests of the core: cases from folders, and laws."""
