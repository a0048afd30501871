"""Writes a component of the user's that works as it stands: a class, its test and its YAML file, to be changed."""

import keyword
import re
from importlib import invalidate_caches
from pathlib import Path

from typing_extensions import TypedDict

from dlexp.config.catalog import EXPERIMENT, list_groups
from dlexp.config.metric import METRICS
from dlexp.config.signature import read
from dlexp.config.trust import look_in_working_directory
from dlexp.disk.durable import disk_faults
from dlexp.error import ConfigError, did_you_mean

TEMPLATES = Path(__file__).parents[1] / "template"
KINDS = tuple(sorted(path.stem for path in (TEMPLATES / "code").glob("*.txt")))
INHERITED = {"data": "dlexp.data.split.Split"}  # whose parameters a file of the kind takes from conf/data/_split.yaml


class WrittenComponent(TypedDict):
    """What was written of a component.

    Attributes:
        kind: Of the component, as a group is called, or metric.
        name: Of the option.
        target: Dotted path of the class.
        option: The override that chooses it.
        code: The file of the class.
        test: The file of its test.
        settings: Its YAML file.
    """

    kind: str
    name: str
    target: str
    option: str
    code: str
    test: str
    settings: str


def write_component(kind: str, name: str, package: str, folder: Path) -> WrittenComponent:
    """Write class, test and YAML file, and the package where it is not there.

    Args:
        kind: One of `KINDS`.
        name: Of the option, of the module and, in capitals, of the class.
        package: Folder of the code, in the working directory.
        folder: The user's folder of YAML files.

    Raises:
        ConfigError: No such kind, no such name, or one of the files is there already.
        DiskFault: The disk refuses.
    """
    _check(kind, name, package)
    code_text, test_text = ((TEMPLATES / form / f"{kind}.txt").read_text(encoding="utf-8") for form in ("code", "test"))
    title = "".join(word.capitalize() for word in name.split("_"))
    if re.search(rf"^(from|import) .*\b{title}\b", code_text, re.MULTILINE):
        raise ConfigError(f"NAME: got {name}; the class {title} would hide torch's, choose another name")
    code, test = Path(package, f"{name}.py"), Path(package, f"test_{name}.py")
    group = EXPERIMENT if kind == "metric" else kind
    settings = folder / group / f"{name}.yaml"
    for path in (code, test, settings):
        if path.exists():
            raise ConfigError(f"{path}: is there already; choose another name, or remove it")
    words, target = {"$package": package, "$Class": title, "$name": name}, f"{package}.{name}.{title}"
    with disk_faults(code):
        code.parent.mkdir(parents=True, exist_ok=True)
        settings.parent.mkdir(parents=True, exist_ok=True)
        (code.parent / "__init__.py").touch()
        code.write_text(_filled(code_text, words), encoding="utf-8")
        test.write_text(_filled(test_text, words), encoding="utf-8")
        settings.write_text(_yaml(kind, name, target), encoding="utf-8")
    return {
        "kind": kind,
        "name": name,
        "target": target,
        "option": f"{group}={name}",
        "code": str(code),
        "test": str(test),
        "settings": str(settings),
    }


def _check(kind: str, name: str, package: str) -> None:
    if kind not in KINDS:
        raise ConfigError(f"KIND: got {kind}; choose one of {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")
    for key, word in (("NAME", name), ("--package", package)):
        if not re.fullmatch("[a-z][a-z0-9_]*", word) or keyword.iskeyword(word):
            raise ConfigError(f"{key}: got {word}; small letters, digits and _ are needed, as in two_paths")
    if package == "dlexp":
        raise ConfigError("--package: got dlexp; the code of your own has a folder of another name")
    group = EXPERIMENT if kind == "metric" else kind
    if name in list_groups()[group]:
        raise ConfigError(f"NAME: got {name}; {group}={name} ships with dlexp, choose another name")
    if kind == "metric" and name in {row.name for row in METRICS}:
        raise ConfigError(f"NAME: got {name}; `dlexp options metric` lists it, choose another name")


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _yaml(kind: str, name: str, target: str) -> str:
    """Return the YAML file of a class: every parameter at its default, with what it means."""
    if kind == "metric":
        package = target.partition(".")[0]
        head = f"# @package _global_\n# Measures {name} beside the other metrics.\ntrusted: [{package}]\n"
        return f"{head}metric:\n  extra: [{target}]\n"
    look_in_working_directory()
    invalidate_caches()
    signature = read(target)
    inherited = read(INHERITED[kind]).parameters if kind in INHERITED else {}
    lines = [f"# {signature.doc}", *(["defaults: [_split, _self_]"] if inherited else []), f"_target_: {target}"]
    for parameter in signature.parameters.values():
        if parameter.name not in inherited:
            lines.append(f"{parameter.name}: {_value(parameter.default)}  # {parameter.doc}")
    return "\n".join(lines) + "\n"


def _value(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)
