"""Steps on the edge that Slipway brings, on this machine with a docker that only notes what it is told."""
