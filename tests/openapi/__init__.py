"""GitHub's own descriptions, cut to what the stand-in serves, and the judge that reads them."""
