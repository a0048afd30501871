"""What other processes on the machine do to the figures."""
