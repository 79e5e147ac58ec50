"""The user's Compose project as Compose resolves it, its files, its environment."""
