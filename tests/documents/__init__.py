"""Tests of audit documents as files."""
