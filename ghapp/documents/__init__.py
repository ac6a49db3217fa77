"""Reads, compares and samples audit documents, and writes cases of a line. It opens no store."""
