"""What a dense net is made of where its passes are written out: links, one after another or side by side.

Shapes: N batch, D inputs, E outputs of a link.
"""

import itertools
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class Link(Protocol):
    """A layer's passes. The backward pass follows the forward pass whose values it takes, once."""

    def need(self, is_needed: bool) -> bool:
        """Learn whether the gradient by the input is needed.

        Args:
            is_needed: Whether something below is trained.

        Returns:
            Whether that by the output is.
        """
        ...

    def forward(self, x_ND: Tensor, /) -> Tensor:
        """Return the outputs (N, E) in training."""
        ...

    def backward(self, grad_NE: Tensor, is_first: bool, /) -> Tensor | None:
        """Write the parameters' gradients.

        Args:
            grad_NE: Gradient by the outputs.
            is_first: Whether they replace those that are there, or are added.

        Returns:
            The gradient by the inputs (N, D), None where nothing below needs it.
        """
        ...


class Trained:
    """A parameter and where its gradient goes."""

    def __init__(self, value: Tensor, grad: Tensor | None) -> None:
        self._value, self._grad = value.detach(), grad

    @property
    def value(self) -> Tensor:
        """The parameter, without autograd."""
        return self._value

    @property
    def grad(self) -> Tensor | None:
        """Where its gradient goes; None where it is not trained."""
        return self._grad

    def write(self, grad: Tensor | None, is_first: bool) -> None:
        """Take a gradient; one that is not trained takes none."""
        place = self.grad
        if place is None:
            return
        assert grad is not None
        if is_first:
            place.copy_(grad)
        else:
            place.add_(grad)

    def write_sum(self, grads_NE: Tensor, is_first: bool) -> None:
        """Take the sum over the examples."""
        place = self.grad
        if place is None:
            return
        if is_first:
            torch.sum(grads_NE, 0, out=place)
        else:
            place.add_(grads_NE.sum(0))


class Sum:
    """Two ways from the same inputs, added."""

    def __init__(self, first: Link, second: Link) -> None:
        self._first, self._second = first, second
        self._needs_x = True

    def need(self, is_needed: bool) -> bool:
        """See `Link`."""
        self._needs_x = is_needed
        first, second = self._first.need(is_needed), self._second.need(is_needed)
        return first or second

    def forward(self, x_ND: Tensor) -> Tensor:
        """See `Link`."""
        return self._first.forward(x_ND) + self._second.forward(x_ND)

    def backward(self, grad_NE: Tensor, is_first: bool) -> Tensor | None:
        """See `Link`."""
        by_first, by_second = (way.backward(grad_NE, is_first) for way in (self._first, self._second))
        if by_first is None or by_second is None:
            return None
        return by_first + by_second


class Row:
    """One layer after another."""

    def __init__(self, links: Sequence[Link]) -> None:
        nested = [link._links if isinstance(link, Row) else [link] for link in links]
        self._links: list[Link] = list(itertools.chain.from_iterable(nested))
        self._backwards: list[Link] = []

    def need(self, is_needed: bool) -> bool:
        """See `Link`."""
        self._backwards = []
        for link in self._links:
            is_needed = link.need(is_needed)
            if is_needed:
                self._backwards.insert(0, link)
        return is_needed

    def forward(self, x_ND: Tensor) -> Tensor:
        """See `Link`."""
        for link in self._links:
            x_ND = link.forward(x_ND)
        return x_ND

    def backward(self, grad_NE: Tensor, is_first: bool) -> Tensor | None:
        """See `Link`."""
        grad: Tensor | None = grad_NE
        for link in self._backwards:
            assert grad is not None
            grad = link.backward(grad, is_first)
        return grad


def is_trained(*parameters: Trained | None) -> bool:
    """Whether any of the parameters is."""
    return any(each is not None and each.grad is not None for each in parameters)
