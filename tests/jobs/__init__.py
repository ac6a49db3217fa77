"""Tests of one due item, and of what each kind means."""
