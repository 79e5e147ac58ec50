"""What a stack may not hold to be released, and how to say that it is meant."""
