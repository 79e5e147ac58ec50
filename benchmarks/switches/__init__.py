"""Ways from one release to the next, each under the same load: what clients see of it, and how long it takes."""
