"""Tests of the stand-in for GitHub: all over HTTP, on loopback."""
