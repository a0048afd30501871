"""Computing a module again in the backward pass instead of keeping what it computed."""

from typing import cast

from torch import Tensor, nn
from torch._C._functorch import is_batchedtensor
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint


class Unmappable(RuntimeError):
    """A module that cannot run under vmap; the message says why."""


def recomputed(module: nn.Module, *inputs: Tensor) -> Tensor:
    """Return ``module(*inputs)``, keeping only the inputs for the backward pass.

    Differs from `torch.utils.checkpoint` alone in two ways. The parameters of the moment are captured, so that the
    second computation reads them also where the program runs the module through `functional_call`. And the second
    computation writes to copies of the buffers, so that running statistics take in each batch once.
    No generator's state is kept, as dlexp's modules draw from their seeds only.

    Args:
        module: Deterministic for given parameters, buffers and inputs.
        inputs: What it is called with.

    Raises:
        Unmappable: Under vmap, which is over when the backward pass computes again.

    References:
        Chen, Xu, Zhang, Guestrin (2016), Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174.
    """
    if any(is_batchedtensor(tensor) for tensor in inputs):
        raise Unmappable("model.checkpointing=true computes again in the backward pass, which vmap does not reach")
    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    buffers = [name for name, _ in module.named_buffers()]
    is_first = True

    def compute(*args: Tensor) -> Tensor:
        nonlocal is_first
        copies = {} if is_first else {name: state[name].clone() for name in buffers}
        is_first = False
        return functional_call(module, {**state, **copies}, args)

    return cast(Tensor, checkpoint(compute, *inputs, use_reentrant=False, preserve_rng_state=False))
