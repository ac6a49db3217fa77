"""What a repository decides about its audits, and which text of that held at a merge."""
