"""The page of an ensemble."""
