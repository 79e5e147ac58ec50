"""The commit that a run is about: checked out, and its settings."""
