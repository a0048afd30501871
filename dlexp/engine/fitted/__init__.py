"""Models without gradients: the run that fits them."""
