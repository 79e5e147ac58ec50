"""The sample stack: nine small services that do honest work without a model or a key."""
