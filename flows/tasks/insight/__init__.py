"""What runs and how well, over time: reads it from droplets and Prometheus, and writes the page."""
