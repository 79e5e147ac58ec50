"""The packages of an image, by the databases that package managers leave in it."""
