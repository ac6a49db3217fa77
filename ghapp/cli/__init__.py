"""The commands of ``ghapp``. Importing it runs nothing; `main` finds the commands."""
