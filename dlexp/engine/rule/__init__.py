"""What acts on a program's parameters: loss, update rule, schedule, regulariser."""
