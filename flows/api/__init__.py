"""Prefect's API without Prefect: what looks, and what triggers a run, need not wait for its import."""
