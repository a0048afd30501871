"""What strategies share."""

import subprocess
import sys

from dlexp.search.strategy import uniform


def test_draws_depend_on_seed_number_and_key_alone():
    assert uniform(0, 1, "lr") == uniform(0, 1, "lr")
    assert len({uniform(seed, number, key) for seed in (0, 1) for number in (0, 1) for key in ("a", "b")}) == 8
    assert all(0 <= uniform(0, number, "a") < 1 for number in range(1000))


def test_no_strategy_imports_torch():
    code = "import sys, dlexp.search.grid, dlexp.search.random, dlexp.search.coarse_to_fine, dlexp.search.hyperband, "
    code += "dlexp.search.tpe, dlexp.config.space; assert not {'torch', 'optuna', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
