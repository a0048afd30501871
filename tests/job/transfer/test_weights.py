"""A command that names no weights pays nothing for it."""

import subprocess
import sys

from dlexp.config.override import parse
from dlexp.job.transfer.weights import with_weights


def test_what_names_no_weights_is_returned_as_it_is():
    overrides = ["optimizer.lr=0.1", "not an override at all"]
    assert with_weights(overrides) is overrides


def test_nothing_heavy_is_imported_for_that():
    code = "import sys; from dlexp.job.transfer.weights import with_weights; with_weights(['a=1']); "
    done = subprocess.run(
        [sys.executable, "-c", code + "print('torch' in sys.modules)"], capture_output=True, text=True
    )
    assert done.stdout.strip() == "False", done.stderr


def test_what_is_named_becomes_a_file(tmp_path):
    path = tmp_path / "w.pth"
    path.touch()
    (override,) = parse(with_weights([f"init_from={path}"]))
    assert (override.key, override.value) == ("init_from.run", str(path))
