"""Where images and releases are published: names, layout, cleaning up."""
