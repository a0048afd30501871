"""What sets beyond the memory take."""
