"""Errors carry what the command line prints and exits with."""

import pytest

from dlexp.error import (
    ConfigError,
    DataError,
    DlexpError,
    EnvironmentFault,
    RunError,
    did_you_mean,
    name_fault_of_device,
)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (DlexpError, "run", 1),
        (ConfigError, "config", 2),
        (DataError, "data", 2),
        (RunError, "run", 2),
        (EnvironmentFault, "environment", 1),
    ],
)
def test_kinds_and_codes(error, kind, code):
    assert issubclass(error, DlexpError)
    assert (error.kind, error.exit_code) == (kind, code)


def test_did_you_mean():
    assert did_you_mean("dpeth", ["depth", "width"]) == "; did you mean depth?"
    assert did_you_mean("zzz", ["depth", "width"]) == ""
    assert did_you_mean("", []) == ""


def test_an_operator_without_a_deterministic_form_is_named_with_the_cure():
    torchs = RuntimeError(
        "cumsum_cuda_kernel does not have a deterministic implementation, but you set "
        "'torch.use_deterministic_algorithms(True)'."
    )
    assert name_fault_of_device(torchs) == (
        "trainer.deterministic: got true; cumsum_cuda_kernel has no such form here; choose another layer, or false"
    )
    assert "out of memory" in str(name_fault_of_device(MemoryError()))
    assert name_fault_of_device(RuntimeError("shapes differ")) is None
