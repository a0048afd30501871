"""Errors carry what the command line prints and exits with."""

import pytest

from dlexp.error import ConfigError, DataError, DlexpError, EnvironmentFault, RunError, did_you_mean


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
