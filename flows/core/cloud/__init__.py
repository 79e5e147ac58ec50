"""DigitalOcean: droplets, snapshots, costs, rehearsal."""
