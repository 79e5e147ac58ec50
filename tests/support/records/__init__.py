"""Histories of releases, made by the code that writes them."""
