"""A value that a test knows to be there, where its type says that it may be absent."""

from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """Return the value; the test fails where there is none."""
    assert value is not None
    return value
