"""Tests of history audited again, and of records exported."""
