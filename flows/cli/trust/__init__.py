"""What is known of an image, for the terminal."""
