"""Door 3: the worker and scheduler processes. Nothing imports it; jobs are named by text."""
