"""Publish an audit on GitHub: one module for each place. They decide nothing about the audit."""
