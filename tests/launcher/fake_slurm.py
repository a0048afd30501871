"""Slurm's commands for tests, without Slurm: jobs are processes at once, their states files of a folder.

usage: python fake_slurm.py FOLDER COMMAND ARGUMENT...
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")


def install(folder: Path) -> Path:
    """Return a folder of the commands."""
    place = folder / "bin"
    place.mkdir(parents=True)
    for name in COMMANDS:
        (place / name).write_text(f'#!/bin/sh\nexec {sys.executable} -I {__file__} {folder} {name} "$@"\n')
        (place / name).chmod(0o755)
    return place


def jobs(folder):
    return [(path, json.loads(path.read_text())) for path in sorted(folder.glob("*.job"))]


def note(path, **changes):
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    fresh.replace(path)


def sbatch(folder, options, script):
    if "test-only" in options:
        return
    number = str(len(list(folder.glob("*.number"))) + 1)
    (folder / f"{number}.number").touch()
    (folder / f"{number}.options").write_text(json.dumps(options))
    (folder / f"{number}.sh").write_text(script)
    last = int(options["array"].partition("%")[0].partition("-")[2])
    for index in range(last + 1):
        path = folder / f"{number}_{index}.job"
        about = {"name": options["job-name"], "number": number, "index": index, "state": "PENDING", "pid": 0}
        path.write_text(json.dumps({**about, "output": options["output"].replace("%a", str(index))}))
        after = options.get("dependency", "").partition(":")[2]
        command = [sys.executable, "-I", __file__, str(folder), "run", str(path), after]
        subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(number)


def run(folder, path, after):
    path = Path(path)
    while after and (state := json.loads((folder / f"{after}_0.job").read_text())["state"]) != "COMPLETED":
        if state in ("FAILED", "CANCELLED"):
            note(path, state="CANCELLED")
            return
        time.sleep(0.02)
    about = json.loads(path.read_text())
    while busy_before(folder, about) and json.loads(path.read_text())["state"] == "PENDING":
        time.sleep(0.02)
    environment = {**os.environ, "SLURM_ARRAY_JOB_ID": about["number"], "SLURM_ARRAY_TASK_ID": str(about["index"])}
    while json.loads(path.read_text())["state"] == "PENDING":
        with open(about["output"], "ab") as output:
            process = subprocess.Popen(
                ["bash", folder / f"{about['number']}.sh"], env=environment, stdout=output, stderr=output
            )
            note(path, state="RUNNING", pid=process.pid)
            code = process.wait()
        state = json.loads(path.read_text())["state"]
        note(path, state={"RUNNING": "FAILED" if code else "COMPLETED", "REQUEUED": "PENDING"}.get(state, state))


def busy_before(folder, about):
    """Say whether as many jobs before this one are at work or wait as may run at once."""
    most = int(json.loads((folder / f"{about['number']}.options").read_text())["array"].partition("%")[2])
    before = [job for _, job in jobs(folder) if job["number"] == about["number"] and job["index"] < about["index"]]
    return sum(job["state"] in ("PENDING", "RUNNING", "REQUEUED") for job in before) >= most


def squeue(folder):
    for _, job in jobs(folder):
        print(f"{job['index']}|{job['state']}|here|None|{job['name']}")


def scancel(folder, options):
    for path, job in jobs(folder):
        if job["name"] == options["name"] and job["state"] in ("PENDING", options.get("state", "RUNNING")):
            note(path, state="CANCELLED")
            if job["state"] == "RUNNING":
                os.kill(job["pid"], signal.SIGTERM)


def main():
    folder, command, *arguments = sys.argv[1:]
    folder = Path(folder)
    pairs = [argument.lstrip("-").partition("=") for argument in arguments]
    options = {name: value for name, _, value in pairs}
    if command == "sbatch":
        sbatch(folder, options, sys.stdin.read())
    elif command == "run":
        run(folder, *arguments)
    elif command == "squeue":
        squeue(folder)
    elif command == "scancel":
        scancel(folder, options)
    elif command == "scontrol":
        note(folder / f"{arguments[1]}.job", state="REQUEUED")
    elif command == "sinfo":
        print("main*|up|gpu:a100:2(S:0-1)|3\nbig|up|(null)|1")


if __name__ == "__main__":
    main()
