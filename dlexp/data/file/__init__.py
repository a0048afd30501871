"""Files of every kind as named columns, arrays and pictures."""
