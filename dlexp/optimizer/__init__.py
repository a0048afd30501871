"""Update rules on flat parameters (T, P), in place.

T trials, P parameters. Every operation rounds once (no fused multiply-add), so that vector bodies and tails of a kernel
agree and a trial's numbers do not depend on its place in a stack. `step` counts from 1. Hyperparameters are numbers,
the same for all trials, or tensors (T, 1).
"""
