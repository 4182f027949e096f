"""What users put around httpx sees every request: mocks, recorders and tracers."""
