"""Schedules: the factor on the optimiser's rate as a function of the step, with a linear warm-up for each.

Steps count from 0 and come as a float64 tensor (S,); parameters are numbers or tensors (T, 1); factors are (S,) or
(T, S). Shapes: T trials, S steps.
"""
