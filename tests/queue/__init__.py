"""Tests of the queue, one module each."""
