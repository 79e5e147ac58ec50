"""An engine that remembers what runs, and a droplet that it is on: for tests of adoptions."""
