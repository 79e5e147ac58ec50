"""How the files of a release come to lie on a droplet: the order, the scripts, and what services write to."""
