"""The core: what an added line owes to an agent's edit, and why. It imports no I/O.

`attribute.attribute` is its face; `unified_diff.parse_diff` reads a diff for it,
`document.to_document` writes down what it says.
"""
