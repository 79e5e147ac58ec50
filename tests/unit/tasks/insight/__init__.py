"""Tests of what reads how well things run, and of the pages."""
