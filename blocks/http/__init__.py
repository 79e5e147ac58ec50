"""Requests with a deadline, excerpts of answers, TLS."""
