"""Update rules on functions of two variables."""
