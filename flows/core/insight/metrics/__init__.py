"""Metrics for Prometheus, made of what droplets remember: the same whenever, and by whomever, they are read."""
