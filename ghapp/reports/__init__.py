"""Audits as words, tables and line ranges. Pure: an audit goes in, text comes out."""
