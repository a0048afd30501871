"""The runs that a training begins with the weights of."""
