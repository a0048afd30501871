"""Data whose examples are pairs: drawn from examples with classes, or brought by the user."""
