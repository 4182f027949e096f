"""Read what the server answers."""
