"""Vendors of agents, played by stand-ins over HTTP that behave as documented."""
