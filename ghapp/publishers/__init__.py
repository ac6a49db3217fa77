"""Where an audit is said: one module for each place. It decides nothing about the audit."""
