"""Keys: of fingerprints, of signatures, and how lines are compared with them."""
