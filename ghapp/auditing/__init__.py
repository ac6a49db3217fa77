"""What auditors need: replays of history, exported records and their recomputation, reports."""
