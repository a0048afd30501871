"""What is generated from the code for readers."""
