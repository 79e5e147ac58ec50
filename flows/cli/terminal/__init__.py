"""What the commands share: options, progress, tables, errors and exit codes."""
