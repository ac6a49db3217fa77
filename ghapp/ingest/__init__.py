"""The ways in which evidence arrives and is kept."""
