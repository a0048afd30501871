"""`python -m dlexp` is the command `dlexp`: torchrun starts modules."""

from importlib import import_module

import_module("dlexp.cli").main()  # installed from cli/, which type checkers cannot see
