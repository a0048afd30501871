"""The training engine: trials in, events out."""
