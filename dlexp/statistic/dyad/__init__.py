"""Statistics of pairs: two pairs with an input in common are not independent."""
