"""Tests of the read-only API, one module each resource."""
