"""The app at work on one machine, and the stand-in for GitHub, which only demo and tests use."""
