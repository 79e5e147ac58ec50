"""Tests of the tasks that put a release on a droplet."""
