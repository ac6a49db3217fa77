"""Faults outside and inside the app: nothing is lost and nothing happens twice."""
