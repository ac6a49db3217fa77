"""Audit documents as files: read, compared, sampled. It opens no store."""
