"""This Prefect run: its context, its blocks, its artifacts, its log."""
