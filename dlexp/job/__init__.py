"""One module a command: what the CLI calls, returning plain data."""
