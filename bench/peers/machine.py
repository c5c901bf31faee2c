"""Says what was measured, on what."""

import os
import platform
import re
import subprocess

from folders import HERE

FLAGS = re.compile(r"avx|fma|f16c|amx|vnni|hypervisor")


def machine():
    with open("/proc/cpuinfo") as file:
        info = dict(line.strip().split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line)
    info = {key.strip(): value.strip() for key, value in info.items()}
    return {
        "cpu": info.get("model name", platform.machine()),
        "family": info.get("cpu family", ""), "model": info.get("model", ""),
        "flags": [flag for flag in info.get("flags", "").split() if FLAGS.search(flag)],
        "cpus": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
    }


def output(*command):
    """Returns what a command prints, "" when it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def versions(folders):
    """Returns the version of ragedge, Go, Python and each required package."""
    with open(f"{HERE}/requirements.txt") as file:
        names = [line.split("==")[0] for line in file if "==" in line]
    code = "import sys, importlib.metadata as m; print(*(f'{n}={m.version(n)}' for n in sys.argv[1:]))"
    found = dict(pair.split("=", 1) for pair in output(folders.python, "-c", code, *names).split())
    commit = output("git", "describe", "--always", "--dirty")
    return {"ragedge": commit or "unknown", "Go": output("go", "env", "GOVERSION").removeprefix("go"), "Python": platform.python_version()} | found
