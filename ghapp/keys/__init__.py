"""Fingerprint keys, signing keys, and how lines are compared with them."""
