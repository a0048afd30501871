"""The commands on finished runs."""
