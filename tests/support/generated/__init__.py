"""Stacks that nobody wrote: drawn over the fields of the Compose schema, with strings that are easily misread."""
