"""The explicit list of packages in pyproject.toml is the tree's."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


def test_the_packages_named_are_those_of_the_tree():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    inner = {".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("dlexp/**/__init__.py")}
    commands = {".".join(("dlexp", *path.parent.relative_to(ROOT).parts)) for path in ROOT.glob("cli/**/__init__.py")}
    assert set(settings["packages"]) == inner | commands | {"dlexp.conf"}
    assert settings["package-dir"] == {"dlexp.cli": "cli", "dlexp.conf": "conf"}


def test_every_folder_with_modules_is_a_package():
    folders = {path.parent for path in ROOT.glob("dlexp/**/*.py")}
    assert {folder for folder in folders if not (folder / "__init__.py").is_file()} == set()


def test_yaml_files_templates_and_the_mark_of_a_typed_package_are_package_data():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert settings["package-data"] == {
        "dlexp": ["py.typed"],
        "dlexp.claim": ["recipes/*.yaml"],
        "dlexp.config": ["template/**/*.txt"],
        "dlexp.conf": ["**/*.yaml"],
        "dlexp.report": ["asset/*"],
    }
    assert settings["include-package-data"] is False
    assert (ROOT / "dlexp" / "py.typed").is_file()
    assert [path for path in (ROOT / "conf").rglob("*.yml")] == []


def test_citation_and_changelog_name_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} < citation.keys()
    assert str(citation["version"]) == version
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line[:3] == "## "]
    assert headings[0] == "## Unreleased"
    assert f"## {version}" in headings


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.cuda"])
def test_an_image_gets_all_that_the_wheel_is_built_from(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (.*) \S+$", text, re.M) for word in line.split()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    sources = {"dlexp", *project["tool"]["setuptools"]["package-dir"].values()}
    assert copied == sources | {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"}
    assert sent == copied
    assert all((ROOT / name).exists() for name in copied)
    assert {"search"} == set(re.findall(r"'\.\[(\w+)\]'", text)) < project["project"]["optional-dependencies"].keys()
