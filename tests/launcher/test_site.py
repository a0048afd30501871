"""What a worker elsewhere must find there, each told in a line that names the node."""

import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dlexp.launcher.site import NONCE, Site, versions


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    monkeypatch.chdir(tmp_path)
    return Site.here(tmp_path)


def test_where_all_is_there_nothing_is_missing_and_the_process_works_as_the_driver(place, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setattr(sys, "path", [])
    assert place.enter() is None
    assert Path.cwd() == tmp_path
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    assert set(sys.path) == set(place.paths)


def test_a_folder_that_is_not_seen_or_another_one_is_told_with_the_node(place, tmp_path):
    host = socket.gethostname()
    unseen = replace(place, folder=str(tmp_path / "elsewhere"))
    line = unseen.enter()
    assert line is not None
    assert line.startswith(f"node {host} does not see {tmp_path / 'elsewhere'} (No such file or directory)")
    (tmp_path / NONCE).write_text("of another cluster")
    line = place.enter()
    assert line is not None
    assert line.startswith(f"node {host} sees another folder as {tmp_path}")


def test_other_versions_are_told_by_name(place):
    line = replace(place, versions=versions() | {"torch": "1.0"}).enter()
    assert line is not None
    assert f"torch {versions()['torch']} (1.0 here)" in line
    assert "numpy" not in line


def test_a_working_directory_that_is_not_there_is_no_obstacle(place):
    assert replace(place, cwd="/nowhere").enter() is None
