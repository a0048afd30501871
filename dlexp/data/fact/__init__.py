"""What is known of a data set besides its examples: the positive class, and what a guess scores."""
