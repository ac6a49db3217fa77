"""The app at work on one machine, and the stand-in for GitHub that only it and tests meet."""
