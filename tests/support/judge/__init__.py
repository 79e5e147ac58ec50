"""The judge: plain Compose on a droplet of its own, and what of a release may differ from it."""
