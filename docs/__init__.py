"""The pages, and what writes those that come from the code."""
