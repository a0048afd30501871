"""Embeddings of two inputs beside each other: how alike they are, and the losses that bring like ones together."""
