"""Models without gradients, fitted to the training part in one step: what networks are compared with."""
