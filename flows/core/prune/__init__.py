"""What goes from a droplet or the build host, and why the rest stays."""
