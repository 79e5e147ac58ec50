"""The edge that Slipway brings: a Caddy on the droplet itself, and what it serves of each stack."""
