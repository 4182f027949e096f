"""Measure what a client costs: its CPU for a call, a chunk, an import, and its memory."""
