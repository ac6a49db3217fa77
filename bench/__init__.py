"""Measurements of the audit: how right, how complete, how fast. No product code imports it."""
