"""Adoption: a plain Compose project becomes the parts of a stack on one droplet."""
