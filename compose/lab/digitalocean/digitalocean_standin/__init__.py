"""A stand-in for DigitalOcean's API: the calls Slipway makes, in the official form, over real parts of the lab."""
