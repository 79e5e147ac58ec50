"""The story of one release: what is in it, what put it where and when, and where the time went."""
