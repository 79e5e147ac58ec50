"""`slipway explain` and its summary."""
