"""What runs where, as it is shown in the Prefect UI."""
