"""Exchange requests and replies with the endpoint: retries, timeouts, streams, errors."""
