"""From YAML and overrides to a checked, read-only configuration; nothing here imports torch."""
