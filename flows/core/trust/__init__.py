"""What a release is signed as, and whether what a registry shows is what was signed."""
