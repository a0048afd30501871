"""What the commands of lectures print."""
