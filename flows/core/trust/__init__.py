"""What a release is signed as, what is in its images, and what proves both."""
