"""Measurements of the audit: how accurate, how complete, how fast. No product code imports it."""
