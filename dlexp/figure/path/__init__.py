"""Paths of update rules over a surface: a contour figure and a film."""
