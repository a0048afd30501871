"""Numerical kernels that a trial alone and a stack of trials share."""
