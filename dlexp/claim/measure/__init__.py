"""Statistics of claims. A function takes the seed and the recipe's arguments, and returns one number."""
