"""Stand-ins for the edge that Slipway brings: a real Caddy without a container, a docker without an engine."""
