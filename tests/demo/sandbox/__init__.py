"""Tests of the stand-in for GitHub: over HTTP, on loopback."""
