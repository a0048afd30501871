"""What is known of a data set besides its examples: the positive class, what a guess scores, what looks wrong."""
