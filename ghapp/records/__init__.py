"""Records that prove themselves: chained, signed, bundled, checked. It opens no database."""
