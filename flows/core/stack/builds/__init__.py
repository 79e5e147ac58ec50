"""What the builds of a stack refer to: images, secrets, keys."""
