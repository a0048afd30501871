"""What is drawn of a model's weights."""
