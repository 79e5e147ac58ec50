"""What a droplet remembers of releases: history, rollback target, recovery, retention."""
