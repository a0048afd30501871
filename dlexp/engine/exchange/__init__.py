"""One training over many devices: what each computes of a batch, and what they tell each other."""
