"""Usage: tokens that agents' own records name, answer by answer. It opens no file."""
