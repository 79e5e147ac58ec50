"""The `slipway` command: the flows from a terminal."""
