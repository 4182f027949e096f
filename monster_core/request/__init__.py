"""Everything that ends in the bytes of a request."""
