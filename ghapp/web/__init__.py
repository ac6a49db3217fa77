"""Door 1: the HTTP face. Importing it starts nothing; `create_app` makes the application."""
