"""A Prefect worker that keeps Prefect and the flows imported, and forks for each run."""
