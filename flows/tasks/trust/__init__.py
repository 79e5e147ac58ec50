"""Finds out what is in an image, and what it was built from."""
