"""Steps on the edge that Slipway brings: put it on a droplet, and put in force what it serves of a stack."""
