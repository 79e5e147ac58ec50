"""`slipway trigger`: runs that CI starts through Prefect's API, without Prefect."""
