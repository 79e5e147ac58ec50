"""The mounted files of a release: found in the source, published in layers, read back."""
