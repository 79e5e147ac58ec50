"""A host with Docker: commands, containers, directories, connection, lock."""
