"""From an event to a job: what follows from it, and how a worker comes to hear of it."""
