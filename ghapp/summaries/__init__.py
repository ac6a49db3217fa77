"""What the numbers over many audits mean. It opens nothing; ``ghapp.store.summaries`` answers."""
