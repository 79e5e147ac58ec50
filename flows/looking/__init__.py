"""Looking without Prefect: blocks are read through its API, droplets over SSH; nothing is recorded as a run."""
