"""Exchange requests and responses with the endpoint: retries, timeouts, streams, errors."""
