"""Signs releases and verifies them, with cosign."""
