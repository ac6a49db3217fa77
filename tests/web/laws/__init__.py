"""Laws over every surface of the web: routes and filters are found, never named."""
