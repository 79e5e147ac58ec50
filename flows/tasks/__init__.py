"""The steps of the flows, as Prefect tasks."""
