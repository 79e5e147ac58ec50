"""What runs where, for people: looked at side by side, and shown in the Prefect UI."""
