"""What `slipway setup` decides."""
