#!/usr/bin/env python3
"""peers.py FOLDER [STEP …] compares ragedge with other engines, step by step:

    setup   install the engines in FOLDER; needs a network
    build   build the Go programs, and write the models in the format of each engine
    bench   check the outputs and time all in turn: a new file in FOLDER/runs
    cold    time programs from their start
    report  write FOLDER/report.md and FOLDER/report.json from the last run

Without a step it does all of them. Each can be repeated; setup then takes seconds. Needs Linux, Python 3.11 or later, Go, a C and C++ compiler, and 10 GB of
disk.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time

from folders import HERE, ROOT, Folders

STEPS = ["setup", "build", "bench", "cold", "report"]


def call(*command, folder=None, quiet=False, **more):
    """Runs a command. When it fails, the program ends with what it printed."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | more, text=True,
        stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None)
    if done.returncode:
        sys.exit(f"{(done.stdout or '')[-3000:]}peers.py: {' '.join(command)}: exit status {done.returncode}")


def setup(folders):
    for program in ("go", "gcc", "g++"):
        if not shutil.which(program):
            sys.exit(f"peers.py: {program} is missing")
    environments = (folders.venv, folders.python, "requirements.txt"), (
        folders.venv_tensorflow, folders.python_tensorflow, "requirements-tensorflow.txt")
    for environment, python, requirements in environments:
        if not os.path.exists(python):
            call(sys.executable, "-m", "venv", environment)
        call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", f"{HERE}/{requirements}")


def build(folders):
    os.makedirs(folders.bin, exist_ok=True)
    go = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", folders.bin]
    call(*go, "./bench/peers/worker", "./bench/peers/cold", folder=ROOT, CGO_ENABLED="0")
    call(*go, ".", folder=f"{HERE}/ortgo", CGO_ENABLED="1")
    call(folders.python, f"{HERE}/export.py", folders.files)
    call(folders.python_tensorflow, f"{HERE}/export_tflite.py", folders.files, quiet=True)


def bench(folders, options):
    import contenders
    import machine
    import rounds

    everyone = contenders.contenders(folders)
    names = list(dict.fromkeys(name for c in everyone for name in c.workloads))
    head = {
        "date": time.strftime("%Y-%m-%d %H:%M"), "seconds": options.seconds,
        "machine": machine.machine(), "versions": machine.versions(folders),
    }
    os.makedirs(folders.runs, exist_ok=True)
    path = f"{folders.runs}/{time.strftime('%Y%m%d-%H%M%S')}.json"
    with open(f"{folders.top}/workers.log", "w") as log:
        rounds.measure(
            everyone, names, options.rounds, options.seconds, options.minutes, log,
            lambda outcome: write(path, head | outcome))


def cold(folders):
    import coldstart

    write(f"{folders.top}/cold.json", coldstart.measure(folders))


def write(path, value):
    """Writes JSON so that a reader sees the old file or the new one."""
    with open(path + ".new", "w") as file:
        json.dump(value, file, indent=1)
    os.replace(path + ".new", path)


def do(step, folders, options):
    if step == "setup":
        setup(folders)
    elif not os.path.exists(folders.python):
        sys.exit(f"peers.py: {folders.python} is missing: run the step setup first")
    elif step == "build":
        build(folders)
    elif not (os.path.exists(f"{folders.files}/workloads.json") and os.path.exists(f"{folders.bin}/ortgo")):
        sys.exit(f"peers.py: {folders.top} has no models or programs: run the step build first")
    elif os.path.realpath(sys.prefix) != os.path.realpath(folders.venv):
        # The other steps use packages of the environment.
        more = (f"--{key}={getattr(options, key)}" for key in ("rounds", "seconds", "minutes"))
        call(folders.python, __file__, folders.top, step, *more)
        return
    elif step == "bench":
        bench(folders, options)
    elif step == "cold":
        cold(folders)
    else:
        import report

        report.write(folders)
    print(f"{step} is done", file=sys.stderr)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", metavar="FOLDER")
    p.add_argument("steps", metavar="STEP", nargs="*", help="of " + ", ".join(STEPS))
    p.add_argument("--rounds", type=int, default=20, help="rounds of a run (%(default)s)")
    p.add_argument("--seconds", type=float, default=0.2, help="of a turn: one engine on one workload (%(default)s)")
    p.add_argument("--minutes", type=float, default=11, help="of a run, after which no round begins (%(default)s)")
    options = p.parse_args()
    for step in options.steps:
        if step not in STEPS:
            p.error(f"step {step}: want one of {', '.join(STEPS)}")
    if not 0 < options.seconds <= 60 or options.rounds < 1:
        p.error("want at least one round, and turns of up to 60 seconds")
    folders = Folders(os.path.abspath(options.folder))
    os.makedirs(folders.top, exist_ok=True)
    try:
        for step in options.steps or STEPS:
            do(step, folders, options)
    except KeyboardInterrupt:
        sys.exit("peers.py: interrupted; the rounds that are done stay in a run")


if __name__ == "__main__":
    main()
