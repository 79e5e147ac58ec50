"""Signs releases, verifies them, and finds out what is in an image and what it was built from."""
