"""Tests of ghapp/evidence."""
