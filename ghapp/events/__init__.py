"""What follows from what GitHub says: events taken in, made due, looked for again."""
