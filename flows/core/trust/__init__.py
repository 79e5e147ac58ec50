"""What is known of an image, and what proves it: its packages, its origin."""
