"""What becomes of a compose file, told without building or asking anybody."""
