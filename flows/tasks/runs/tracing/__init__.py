"""Traces of runs, for those who want them: what a run records of its flows and steps, and where it is sent."""
