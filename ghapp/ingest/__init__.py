"""The ways in which evidence arrives and is stored. It reads no format itself."""
