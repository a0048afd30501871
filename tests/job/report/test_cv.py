"""The whole page is held by tests/cli/command/run/test_report.py; here, what has none."""

from typing import Any, cast

import pytest

from dlexp.error import RunError
from dlexp.job.report.cv import page_of_cv
from dlexp.run.folder import RunFolder


@pytest.mark.parametrize("result", [None, {"status": "failed", "complete": False, "best": None}])
def test_what_did_not_come_to_its_end_has_no_page(tmp_path, result):
    folder = RunFolder.create(tmp_path, "x", "s", config={}, overrides=[], manifest={"kind": "cv"})
    if result:
        folder.write_result(result)
    folder.unlock()
    with pytest.raises(RunError, match="dlexp show"):
        page_of_cv(folder, cast(Any, {}))
