import gc
import sys

import pytest

from dlexp.tracking.request import load


@pytest.fixture
def imported(monkeypatch):
    """Names that were imported, with whether garbage was looked for."""
    names = []
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    monkeypatch.setattr(load, "import_module", lambda name: names.append((name, gc.isenabled())))
    monkeypatch.setattr(gc, "freeze", lambda: names.append(("freeze", gc.isenabled())))
    return names


@pytest.mark.parametrize(
    ("is_database", "expected"),
    [(False, ["mlflow", "freeze"]), (True, ["mlflow", "mlflow.store.tracking.sqlalchemy_store", "freeze"])],
)
def test_garbage_is_not_looked_for_meanwhile_and_is_afterwards(imported, is_database, expected):
    load.load(is_database=is_database)
    assert imported == [(name, False) for name in expected]
    assert gc.isenabled()


def test_it_is_looked_for_also_after_a_failure(imported, monkeypatch):
    def fail(name):
        raise ImportError(name)

    monkeypatch.setattr(load, "import_module", fail)
    with pytest.raises(ImportError):
        load.load(is_database=True)
    assert gc.isenabled()


def test_what_is_imported_stays_as_it_is(imported, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", gc)
    load.load(is_database=True)
    assert imported == []


def test_pandas_is_not_there_for_who_does_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", sys)  # put back what was there
    load.exclude_pandas()
    with pytest.raises(ImportError):
        __import__("pandas")
