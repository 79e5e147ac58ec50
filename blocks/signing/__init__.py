"""The keys that releases are signed with, and those that are trusted."""
