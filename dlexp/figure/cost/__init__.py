"""What is drawn of results beside what they cost: trials, seconds, parameters."""
