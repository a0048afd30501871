"""Data sets: where examples come from, how they are split, and how batches reach the device."""
