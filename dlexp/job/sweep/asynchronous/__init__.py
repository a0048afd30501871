"""A search without rounds, whose course depends on timing and is recorded."""
