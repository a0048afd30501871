"""Image files: which are read, how each comes to its form, and many as one tensor."""
