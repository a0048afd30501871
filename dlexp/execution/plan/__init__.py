"""What is trained together, and in which order."""
