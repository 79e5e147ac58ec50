"""Two releases beside each other: what each holds, and how they differ."""
