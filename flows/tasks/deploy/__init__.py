"""Putting a release on a droplet: facts, preflight, staging, pull, start, readiness, digests."""
