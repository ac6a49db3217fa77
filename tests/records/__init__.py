"""Tests of records: chained, signed, bundled, checked."""
