"""From a machine that has nothing to one that takes releases: what is there, what is missing, and how it comes."""
