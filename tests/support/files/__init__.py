"""Trees of files for tests: checkouts as builders have them, and what stands on a droplet."""
