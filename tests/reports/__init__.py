"""Tests of ghapp/reports."""
