"""Machines that `slipway setup` meets."""
