"""What commands and networks cost."""
