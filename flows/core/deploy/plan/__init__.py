"""What a deploy would do on a droplet, found out without changing anything there."""
