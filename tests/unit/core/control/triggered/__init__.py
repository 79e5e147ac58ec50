"""What a run is that is started through the API."""
