"""Commands that only look, without Prefect: what runs, what was deployed, what services say."""
