"""The commands: each parses its options, calls one job and has the view print."""
