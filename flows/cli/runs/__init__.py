"""Runs that another process does, followed in a terminal or in a CI job."""
