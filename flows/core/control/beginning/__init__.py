"""What a repository needs to be released: proposals for its compose file, and files beside it."""
