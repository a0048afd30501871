import pytest

from dlexp.data import bundled
from dlexp.error import DataError


def test_absent_file():
    with pytest.raises(DataError, match=r"no_such.csv: not there; reinstall scikit-learn"):
        bundled.read("no_such.csv")


def test_absent_package(monkeypatch):
    monkeypatch.setattr(bundled.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install scikit-learn"):
        bundled.read("iris.csv")
