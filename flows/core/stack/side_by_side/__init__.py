"""A stack whose two colours stand side by side on one droplet: what the edge serves, and what two projects share."""
