"""GitHub's own descriptions, cut to what the stand-in serves, and the validator that reads them."""
