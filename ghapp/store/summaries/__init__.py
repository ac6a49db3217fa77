"""Questions over many audits, answered from tallies that are kept up to date."""
