from pathlib import Path

import pytest

from dlexp.error import ConfigError, RunError
from dlexp.job.report.page import report


@pytest.mark.parametrize(
    ("form", "out", "reason"),
    [(None, "a.pdf", "names end with html, md, tex"), ("md", "a.html", "beside --format md"), (None, "a", "names end")],
)
def test_form_and_name_of_the_file_have_to_fit(tmp_path, form, out, reason):
    with pytest.raises(ConfigError, match=reason):
        report(["last"], tmp_path, form, Path(out))


def test_nothing_is_written_where_there_is_no_run(tmp_path):
    with pytest.raises(RunError):
        report(["last"], tmp_path, None, tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []
