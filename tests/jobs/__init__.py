"""Tests of one work item, and of what each kind means."""
