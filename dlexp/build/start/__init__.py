"""What a model begins with besides its class: weights of another run, and layers that training leaves alone."""
