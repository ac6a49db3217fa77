"""An audit in words, tables and line ranges. Pure: an audit comes in, text goes out."""
