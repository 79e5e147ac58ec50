"""What a run goes by before it begins: settings files, destinations."""
