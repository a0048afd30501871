"""Update rules on flat parameters (T, P), in place, in few kernels.

T trials, P parameters. Hyperparameters are numbers, the same for all trials, or tensors (T, 1). `step` counts from 1.
Rules whose weight decay is coupled have it act on `decay_P` (a 0/1 mask of elements, None for all).
"""
