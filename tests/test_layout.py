"""The policies of the tree: what stands where, how large it may be, what imports what, what names a trial."""

import ast
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import pytest

from dlexp.config.catalog import EXPERIMENT, default_choices, list_groups, read_option
from dlexp.config.relevance import IRRELEVANT
from dlexp.search.trial_id import NUMBERS

ROOT = Path(__file__).parents[1]
SOURCE = ("dlexp", "cli")
WRITTEN = (*SOURCE, "tests", "benchmarks")
MAX_LINES, MAX_MODULES, MAX_TESTS = 300, 16, 20  # a folder of tests mirrors one of modules, and adds what crosses them

# Modules that have no test of their name, and why.
WITHOUT_TEST = {
    "dlexp/job/train/evidence.py": "tests/job/sweep/test_selection_bias.py recomputes every metric through it",
    **{
        f"dlexp/{name}.py": "declares the form of documents; tests/docs/test_schema.py holds what is printed against it"
        for name in (
            *("build/document", "claim/document", "claim/surface/document", "diagnose/document", "run/document"),
            *("job/compare/document", "job/cv/check_document", "job/cv/document", "job/ensemble/document"),
            *("job/inference/document", "job/sweep/document", "job/train/document"),
        )
    },
    "dlexp/__main__.py": "one call; tests/cli/test_devices.py runs it",
    "dlexp/job/event.py": "makes the documents of events; tests/cli/test_event.py holds what is printed against them",
    "dlexp/report/model.py": "declares what a page is made of; tests/report/test_html.py writes each kind of it",
    "dlexp/launcher/launcher.py": "declares an interface; tests/execution/test_dispatcher.py has a fake of it",
    "dlexp/launcher/pool.py": "declares an interface, held by tests/launcher/test_process_pool.py and test_ray_pool.py",
    "dlexp/statistic/measure.py": "declares constants and computes nothing; tests/metric asserts what they do",
    "dlexp/augment/none.py": "an option, held by tests/augment/test_contract.py",
}
# Modules that the builder imports and that cannot change a number; dlexp/search/trial_id.py says why.
WITHOUT_NUMBERS = {"dlexp.config.metric", "dlexp.config.trust", "dlexp.disk.durable", "dlexp.number"} | {
    f"dlexp.gpu.{name}"
    for name in ("child", "look")  # which cards there are
}
CONTRACTS = ("augment", "config", "model", "optimizer", "schedule")
# Tests that have no module of their name, and why.
WITHOUT_MODULE = {
    "tests/docs/test_python.py": "the code that the page on Python and the notebook show",
    "tests/fault/test_gate.py": "calls that could run what a file says, in every module",
    "tests/engine/test_gathering.py": "exact statistics of batch norm by the formula, in every form of a program",
    "tests/benchmarks/test_audit.py": "a benchmark of numbers against papers and reference libraries",
    "tests/benchmarks/test_diagnose.py": "that planted faults are accepted, and the sums of benchmarks/diagnose",
    "tests/data/test_corpus.py": "files of every kind, with the right value beside each",
    **dict.fromkeys(("tests/job/test_damaged.py", "tests/job/test_damaged_resume.py"), "every file of a run damaged"),
    "tests/job/test_fitted.py": "models without gradients, through every command",
    "tests/job/test_corpus.py": "the same files through train, cv, predict and the audit",
    "tests/job/train/test_odd_data.py": "numbers that are hard to keep, through a training run",
    **dict.fromkeys(("tests/docs/test_configure.py", "tests/docs/test_recipes.py"), "a page of the documents"),
    "tests/docs/test_figures.py": "the figures in the pages, against the records of benchmarks",
    "tests/docs/test_generate.py": "the generator of the documents",
    "tests/docs/test_pages.py": "the documents",
    "tests/docs/test_schema.py": "the schemas, against every document that a command prints",
    "tests/benchmarks/test_measure.py": "what benchmarks take",
    "tests/search/test_replay.py": "a benchmark of searches",
    "tests/model/test_init_gain.py": "initialisation: the papers' gains, and variance through depth",
    "tests/fault/test_catalogue.py": "every promise of the catalogue, attacked with a few attempts",
    "tests/fault/test_clock.py": "the clock of the catalogue, which tells a hang from a busy machine",
    "tests/test_golden.py": "run folders of earlier versions, read by every command",
    "tests/test_layout.py": "the tree",
    "tests/test_naming.py": "the names in every file",
    "tests/test_packaging.py": "pyproject.toml",
    **dict.fromkeys(("tests/docs/test_readme.py", "tests/docs/test_contributing.py"), "a page whose commands are run"),
    **dict.fromkeys((f"tests/{group}/test_contract.py" for group in CONTRACTS), "a table over all options"),
    "tests/model/test_pairwise.py": "every option beside every option",
    "tests/model/test_parity.py": "models against torchvision's under copied weights",
    "tests/config/test_fuzz.py": "random configurations",
    "tests/config/test_experiment.py": "the recipes",
    "tests/config/test_user_code.py": "user code, from the configuration to the error",
    "tests/engine/stack/test_cuda.py": "all stacks on a GPU",
    "tests/engine/stack/test_equal.py": "all stacks against solo training",
    "tests/engine/stack/test_torch.py": "all stacks against torch.optim",
    "tests/statistic/test_statsmodels.py": "all tests against a reference library",
    **dict.fromkeys(("tests/pretended/test_device.py", "tests/nullgpu/test_smoke.py"), "CUDA without a card"),
    "tests/pretended/test_waits.py": "what the host waits for on the pretended CUDA device",
    "tests/pretended/test_pairwise.py": "every option in every form on the pretended CUDA device",
    "tests/job/train/test_precision.py": "a use case: numeric precision of a training",
    "tests/execution/test_feed.py": "the dispatcher of a search without rounds",
    "tests/execution/test_workers.py": "worker processes change no number",
    "tests/job/compare/test_compare_seeds.py": "a use case: runs that differ in their seed",
    "tests/job/cv/test_cv_mlflow.py": "a use case: MLflow",
    "tests/job/cv/test_cv_settings.py": "a use case: settings compared by folds",
    "tests/job/cv/test_pooled.py": "a use case: metrics of pooled predictions",
    "tests/job/train/test_bad_data.py": "a use case: data with faults",
    "tests/job/train/test_own_metric.py": "a use case: a metric of the user's",
    "tests/job/train/test_several_targets.py": "a use case: classes and values learnt together",
    "tests/job/transfer/test_frozen.py": "a use case: frozen layers in whole commands that are killed",
    "tests/data/test_real_file.py": "a use case: files that nobody here made",
    "tests/job/train/test_torchvision.py": "a use case: torchvision's data and models",
    "tests/job/train/test_user_code.py": "a use case: classes of the user",
    "tests/tracking/test_outage.py": "a use case: a server that goes away",
    "tests/launcher/test_anywhere.py": "a use case: sweeps and cvs on a cluster that loses a node",
}


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def mirror(path: Path) -> str:
    """Return where a module's test stands: dlexp/a/b.py -> tests/a/test_b.py, cli/a.py -> tests/cli/test_a.py.

    What cli/view prints is asserted where the command that prints it is run, in tests/cli/command.
    """
    parts = path.relative_to(ROOT).parts
    inner = parts[1:-1] if parts[0] == "dlexp" else parts[:-1]
    inner = ("cli", "command", *inner[2:]) if inner[:2] == ("cli", "view") else inner
    return "/".join(("tests", *inner, f"test_{path.name}"))


MIRRORS = {relative(path): mirror(path) for path in modules(*SOURCE) if path.name != "__init__.py"}
TESTS = {relative(path) for path in modules("tests") if path.name.startswith("test_")}


def test_every_module_has_its_mirrored_test():
    lacking = {module for module, test in MIRRORS.items() if test not in TESTS}
    assert lacking == set(WITHOUT_TEST)


def test_every_test_is_the_mirror_of_a_module():
    assert TESTS - set(MIRRORS.values()) == set(WITHOUT_MODULE)


def test_pytest_goes_into_every_folder_of_tests(pytestconfig):
    names = {part for test in TESTS for part in Path(test).parent.parts}
    left_out = pytestconfig.getini("norecursedirs")
    assert {name for name in names if any(fnmatch(name, pattern) for pattern in left_out)} == set()


def test_every_package_goes_into_the_wheel():
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = [
        path.parent.relative_to(ROOT) for name in (*SOURCE, "conf") for path in (ROOT / name).rglob("__init__.py")
    ]
    names = [".".join(folder.parts) for folder in folders]
    assert sorted(packages) == sorted(name if name.startswith("dlexp") else f"dlexp.{name}" for name in names)


def test_no_file_is_long():
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(*WRITTEN)}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_no_folder_is_crowded():
    sources = [path for path in modules(*SOURCE, "benchmarks") if path.name != "__init__.py"]
    paths = [*sources, *(ROOT / test for test in TESTS)]
    counts = Counter(relative(path.parent) for path in paths)
    limits = {folder: MAX_TESTS if folder.startswith("tests") else MAX_MODULES for folder in counts}
    crowded = {folder: count for folder, count in counts.items() if count > limits[folder]}
    assert crowded == {}, (
        "move modules that share a thought into a subfolder: "
        f"a folder has at most {MAX_MODULES} modules without __init__.py, one of tests at most {MAX_TESTS}"
    )


def imported(path: Path) -> Iterator[str]:
    """Yield the full names that a module imports, inside functions too."""
    package = list(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def test_matplotlib_is_imported_in_figure_only():
    drawing = {path for path in modules(*SOURCE) if any(name.split(".")[0] == "matplotlib" for name in imported(path))}
    assert drawing
    assert {relative(path) for path in drawing if ROOT / "dlexp" / "figure" not in path.parents} == set()


def source_of(name: str) -> Path | None:
    """Return the file of a module of dlexp; None for another name, such as that of a class."""
    place = ROOT.joinpath(*name.split("."))
    paths = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in paths if path.is_file()), None)


def closure(*names: str) -> set[str]:
    """Return the modules of dlexp that some modules import, directly or through others, these included."""
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        path = source_of(name)
        if name in reached or path is None or not name.startswith("dlexp."):
            continue
        reached.add(name)
        waiting += imported(path)
        waiting.append(name.rpartition(".")[0])  # importing a module runs its package
    return reached


def targets_of_a_trial() -> set[str]:
    """Return the modules of the options of the groups that decide a trial's numbers."""
    groups = [group for group in default_choices() if group not in IRRELEVANT]
    options = [read_option(group, option) for group in groups for option in list_groups()[group]]
    return {str(option["_target_"]).rpartition(".")[0] for option in options}


def test_a_trial_is_named_by_all_code_that_its_numbers_depend_on():
    reached = closure("dlexp.build.program", "dlexp.engine.train", *targets_of_a_trial())
    entries = {f"dlexp.{name}" for name in NUMBERS}
    assert len(entries) == len(NUMBERS)

    def covers(entry: str, name: str) -> bool:
        return name == entry or name.startswith(f"{entry}.")

    bare = {name for name in reached if not any(covers(entry, name) for entry in entries)}
    # a package of which an entry covers one module holds no code itself
    assert {name for name in bare if not is_bare_package(name)} == WITHOUT_NUMBERS
    assert {entry for entry in entries if not any(covers(entry, name) for name in reached)} == set()


def is_bare_package(name: str) -> bool:
    """Say whether a name is a package whose own file is a docstring and nothing else."""
    path = source_of(name)
    assert path is not None
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return path.name == "__init__.py" and len(body) == 1 and isinstance(body[0], ast.Expr)


OPTIONS = [(group, option) for group, options in list_groups().items() if group != EXPERIMENT for option in options]
NAMES = [f"{group}={option}" for group, option in OPTIONS]
# Options whose class has another name, and why.
OTHER_NAME = {
    "data=csv": "Table reads text with any separator",
    "trainer=default": "the group has one class, Trainer",
}


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=NAMES)
def test_an_option_is_a_file_a_class_and_a_test(group, option):
    assert (ROOT / "conf" / group / f"{option}.yaml").is_file()
    module, _, name = str(read_option(group, option)["_target_"]).rpartition(".")
    assert callable(getattr(import_module(module), name))
    path = source_of(module)
    assert path is not None
    assert mirror(path) in TESTS or relative(path) in WITHOUT_TEST
    assert is_named_alike(option, path.stem, name) or f"{group}={option}" in OTHER_NAME


def is_named_alike(option: str, module: str, name: str) -> bool:
    """Say whether an option has the name of its module or its class: leaky_relu is LeakyReLU, none is NoNorm."""
    return option == module or option.replace("_", "") in name.lower() or (option == "none" and name.startswith("No"))


def test_every_yaml_file_of_a_group_is_an_option_or_a_fragment():
    files = {path.relative_to(ROOT / "conf").as_posix() for path in (ROOT / "conf").glob("*/*.yaml")}
    options = {f"{group}/{option}.yaml" for group, names in list_groups().items() for option in names}
    assert {path for path in files - options if not path.partition("/")[2].startswith("_")} == set()


@pytest.mark.parametrize("exceptions", [WITHOUT_TEST, WITHOUT_MODULE], ids=["modules", "tests"])
def test_every_exception_is_there_and_says_why(exceptions):
    assert {path for path in exceptions if not (ROOT / path).is_file()} == set()
    assert all(exceptions.values())


def test_every_other_name_is_needed():
    for text in OTHER_NAME:
        group, _, option = text.partition("=")
        module, _, name = str(read_option(group, option)["_target_"]).rpartition(".")
        assert not is_named_alike(option, module.rpartition(".")[2], name)


@pytest.mark.parametrize("package", ["torch", "torchvision", "mlflow", "optuna", "matplotlib", "sklearn"])
@pytest.mark.parametrize(
    ("place", "is_light"),
    [(f"cli/{folder}x.py", True) for folder in ("", "command/", "view/", "completion/")]
    + [(f"dlexp/{folder}/x.py", True) for folder in ("config", "run", "search", "statistic")]
    + [("dlexp/direction.py", True), ("dlexp/error.py", True), ("dlexp/engine/x.py", False), ("tests/x.py", False)],
)
def test_ruff_refuses_heavy_imports_at_the_top_of_light_modules(package, place, is_light):
    command = [sys.executable, "-m", "ruff", "check", "--select=TID253", "--stdin-filename", place, "-"]
    done = subprocess.run(command, input=f"import {package}\n", capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode == 1) == is_light
    assert ("TID253" in done.stdout) == is_light
