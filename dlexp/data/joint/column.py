"""Several columns of a table as targets."""

from collections.abc import Sequence

from dlexp.data.fact.spelling import one_category
from dlexp.data.file.column import Columns
from dlexp.data.file.label import read_labels
from dlexp.data.joint.label import Labels


def read_columns_of(table: Columns, names: Sequence[str], task: str) -> list[Labels]:
    """Return what the columns say of each target.

    Args:
        table: The file.
        names: Of the columns.
        task: "regression" asks for numbers.

    Raises:
        DataError: A column without any label, or one that cannot be read.
    """
    return [
        Labels(
            name,
            read_labels(table, name, task, has_gaps=True),
            ~table.is_missing(name),
            one_category(table, name),
        )
        for name in names
    ]
