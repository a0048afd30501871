"""What of a program in training reaches the run folders, epoch by epoch."""
