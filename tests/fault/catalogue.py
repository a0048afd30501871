"""Every row, in the order of the page."""

from importlib import import_module

from tests.fault.promise import Row

CHAPTERS = {
    "killed": "Kills",
    "instant": "Kills at every point of a write",
    "signalled": "Signals",
    "disk": "Disks",
    "damaged": "Damaged files",
    "earlier": "Run folders of an earlier release",
    "stream": "Standard streams",
    "store": "MLflow's store",
    "together": "Processes that meet, and the clock",
    "company": "Trials in company",
    "foreign": "Input from strangers",
    "exported": "Exported files",
    "bomb": "Files that are not what they seem",
    "written": "Tables for other programs",
    "dashboard": "The dashboard",
    "words": "Random words",
    "around": "Surroundings",
}


def rows() -> list[Row]:
    """Return every row."""
    return [row for chapter in CHAPTERS for row in rows_of(chapter)]


def rows_of(chapter: str) -> list[Row]:
    """Return the rows of one file of `tests/fault/row`."""
    return import_module(f"tests.fault.row.{chapter}").ROWS


def row_of(name: str) -> Row:
    """Return the row of an id."""
    return next(row for row in rows() if row.id == name)
