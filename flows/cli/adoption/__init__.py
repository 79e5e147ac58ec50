"""`slipway adopt`, and its summary."""
