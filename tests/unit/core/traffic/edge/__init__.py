"""The edge that Slipway brings: what it is told, and what a real Caddy makes of it."""
