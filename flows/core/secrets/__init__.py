"""What must not be shown, and masking."""
