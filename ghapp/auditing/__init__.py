"""The auditor's room: history audited again, records exported."""
