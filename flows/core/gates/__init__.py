"""Probes, metrics, traces and the verdicts over them."""
