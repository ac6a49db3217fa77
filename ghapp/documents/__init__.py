"""Reads, compares and samples files of audit documents. It opens no store."""
