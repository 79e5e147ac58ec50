"""Commands that show releases: what differs between two of them, and what one of them did."""
