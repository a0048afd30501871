"""Trains what it is given, solo or fused, here or in workers."""
