"""A repository's policy for its audits: read, and found for a merge."""
