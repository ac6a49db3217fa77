"""Tests of the questions over many audits, held against a slow recount."""
