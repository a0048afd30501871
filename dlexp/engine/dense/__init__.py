"""The passes of a dense net written out: each layer's kernels forwards and backwards, without autograd."""
