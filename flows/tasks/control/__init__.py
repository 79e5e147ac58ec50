"""Control: automations, alerts and the queue of runs, through the Prefect API."""
