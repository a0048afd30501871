"""How figures look: size, colours, text that any font can draw, limits of axes, scales."""
