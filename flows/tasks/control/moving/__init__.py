"""Carries what a control plane holds into a file, and from there into another one."""
