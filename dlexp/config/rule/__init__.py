"""Rules that a composed configuration keeps beyond the types of its values."""
