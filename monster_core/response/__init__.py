"""Everything that starts with the bytes of a response."""
