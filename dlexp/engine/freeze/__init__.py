"""Layers that training leaves alone, and what becomes of a program when it takes them up."""
