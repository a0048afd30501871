"""What the commands on finished runs print for people."""
