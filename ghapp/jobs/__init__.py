"""How a worker does one work item: leased, done by its kind, and finished in the work table."""
