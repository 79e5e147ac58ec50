"""Ways to release on the one droplet of `make demo-one-droplet`: by Slipway, by Compose, and by other tools."""
