"""HTTP requests with a deadline, excerpts of answers, TLS."""
