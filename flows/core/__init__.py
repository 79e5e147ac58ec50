"""The decisions: plain functions from values to values, without Prefect and without I/O."""
