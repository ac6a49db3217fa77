"""Evidence: what agents leave behind, read as edits. It opens no file and keeps nothing."""
