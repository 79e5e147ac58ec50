"""The edge, real and feigned."""
