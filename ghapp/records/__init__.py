"""Records that anybody can check: chained, signed, bundled. It opens no database."""
