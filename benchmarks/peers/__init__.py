"""Other tools that do the same deploy: their own files, and how they are run."""
