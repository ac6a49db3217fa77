"""Tests of ghapp/otlp."""
