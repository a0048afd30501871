"""Several targets of one example: what each is, and the unit of those that are values."""
