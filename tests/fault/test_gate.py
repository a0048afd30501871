"""No module of the program loads a pickle, evaluates a text or starts a shell: the calls that could are listed."""

import ast
from pathlib import Path

import pytest
import yaml

from dlexp.config.catalog import Loader
from dlexp.run import config_file

ROOT = Path(__file__).parents[2]
MODULES = sorted([*(ROOT / "dlexp").rglob("*.py"), *(ROOT / "cli").rglob("*.py")])
ALLOWED = {
    ("dlexp/config/signature.py", "eval"): "of an annotation whose every name was checked, without builtins",
    ("dlexp/config/signature.py", "compile"): "of the same annotation",
    ("dlexp/export/pt2.py", "torch.export.load"): "of bytes that dlexp wrote on this machine, or the user named",
}
NEVER = ("eval", "exec", "compile", "__import__", "os.system", "os.popen", "marshal.loads", "dill.load", "jsonpickle")
PICKLE = (
    "torch.export.load",
    "torch.package.",
    "pickle.",
    "cloudpickle.",
    "joblib.",
    "shelve.",
    "torch.jit.load",
    "torch.hub.",
    "pd.read_pickle",
)
NEEDED = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
}
LOADERS = ("catalog.Loader", "Loader", "_Loader")


def faults(source: str) -> list[str]:
    """Return the calls of a source that could run what a file says."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call.func) for call in calls if is_dangerous(call)]


def is_dangerous(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    words = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in NEVER or name.startswith(PICKLE) or "shell" in words:
        return True
    if name == "yaml.load":
        loader = words.get("Loader", call.args[1] if len(call.args) > 1 else None)
        return loader is None or ast.unparse(loader) not in LOADERS
    if name in NEEDED:
        keyword, value = NEEDED[name]
        given = words.get(keyword)
        return not (isinstance(given, ast.Constant) and given.value is value)
    return False


def test_no_call_runs_what_a_file_says():
    calls = {(path.relative_to(ROOT).as_posix(), name) for path in MODULES for name in faults(path.read_text())}
    assert len(MODULES) > 300
    assert calls == set(ALLOWED)


@pytest.mark.parametrize("loader", [Loader, config_file._Loader])
def test_the_loaders_of_yaml_make_plain_values_only(loader):
    assert issubclass(loader, yaml.SafeLoader | yaml.CSafeLoader)
    with pytest.raises(yaml.YAMLError):
        yaml.load("!!python/object/apply:os.system ['true']", loader)


@pytest.mark.parametrize(
    "source",
    [
        "pickle.loads(x)",
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "np.load(f, allow_pickle=True)",
        "eval(x)",
        "subprocess.run(x, shell=True)",
        "yaml.load(x, yaml.Loader)",
        "yaml.load(x)",
        "os.system(x)",
        "torch.hub.load(x)",
    ],
)
def test_the_gate_closes(source):
    assert faults(source)
