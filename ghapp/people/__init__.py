"""People: who may read, and who may send evidence."""
