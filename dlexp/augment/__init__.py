"""Augmentation: batched tensor operations on the device, a draw per image, on training batches only."""
