"""A template for tests, and modules for its forks."""
