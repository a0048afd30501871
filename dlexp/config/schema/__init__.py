"""The configuration as JSON Schema, for editors."""
