"""The collector against a small strict stand-in for the app, and against the app itself."""
