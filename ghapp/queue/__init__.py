"""The way from the work table to the workers: RQ's queues in Redis, and the wake-up call."""
