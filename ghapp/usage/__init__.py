"""Usage: tokens of answers and what became of edits, as agents' records tell. It opens no file."""
