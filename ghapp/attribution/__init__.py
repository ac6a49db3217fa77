"""The core: which agent edit wrote an added line, and why. It imports no I/O.

`unified_diff.parse_diff` reads a diff, `attribute.attribute` audits it, and
`document.to_document` turns the audit into JSON.
"""
