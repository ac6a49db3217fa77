"""Tests of ghapp/otlp/senders."""
