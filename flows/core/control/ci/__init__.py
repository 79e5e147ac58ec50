"""CI: what a triggered run is, and what a CI job shows and keeps of it."""
