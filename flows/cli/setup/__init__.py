"""Commands that save the blocks which hold credentials."""
