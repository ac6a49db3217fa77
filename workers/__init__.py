"""Door 3: the worker and scheduler processes. Nothing imports them; jobs are called by name."""
