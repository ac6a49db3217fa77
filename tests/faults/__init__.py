"""What goes wrong outside and inside, and that nothing is lost and nothing done twice."""
