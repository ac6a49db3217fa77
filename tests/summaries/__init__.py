"""Tests of what the numbers over many audits mean."""
