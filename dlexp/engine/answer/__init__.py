"""What the outputs of each kind of task mean: how they are scored, stored, and recorded of each example."""
