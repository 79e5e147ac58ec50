"""The Prefect flows, one file a deployment of prefect.yaml."""
