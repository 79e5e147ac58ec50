"""DigitalOcean's API: the account's block, a typed client, and what its answers are made of.

Its own errors, tokens and limits are `transport`'s; each other file is one part of the API.
"""
