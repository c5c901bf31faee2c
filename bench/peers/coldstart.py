"""Measures programs that run W1 once: from starting the process to reading its first
result, and the memory it has then."""

import json
import os
import select
import statistics
import subprocess
import time

import numpy as np

from folders import HERE
from rounds import TOLERANCE

WORKLOAD, RUNS, MOST_SECONDS = "W1", 20, 60


def programs(folders):
    """Returns, by name, the command of each program and what it needs on disk,
    besides Python itself."""
    packages = folders.packages()

    def python(engine, *names):
        needs = [f"{packages}/{name}" for name in ("numpy", "numpy.libs", *names)]
        return [folders.python, f"{HERE}/cold.py", engine, folders.files, WORKLOAD], needs

    cold, ortgo, library = f"{folders.bin}/cold", f"{folders.bin}/ortgo", folders.onnxruntime_library()
    return {
        "ragedge": ([cold, folders.files, WORKLOAD], [cold]),
        "onnxruntime-go": ([ortgo, "-cold", WORKLOAD, library, folders.files], [ortgo, library]),
        "onnxruntime": python("onnxruntime", "onnxruntime"),
        "litert": python("litert", "ai_edge_litert"),
        "openvino": python("openvino", "openvino"),
    }


def once(command, environment, reference):
    """Returns milliseconds, VmRSS and VmHWM in bytes of one start."""
    start = time.perf_counter()
    with subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            answered = select.select([process.stdout], [], [], MOST_SECONDS)[0]
            took = time.perf_counter() - start
            line = process.stdout.readline() if answered else b""
            if not line:
                process.kill()
                said = process.stderr.read()[-500:].decode(errors="replace")
                raise RuntimeError(f"{command[0]}: no result in {took:.1f} s; {said}")
            with open(f"/proc/{process.pid}/status") as file:
                status = dict(row.split(":", 1) for row in file)
        finally:
            process.kill()  # it waits for its standard input
    error = np.max(np.abs(np.array(json.loads(line)) - reference)) / np.max(np.abs(reference))
    if not error <= TOLERANCE:
        raise RuntimeError(f"{command[0]} is {error:.1e} from the reference")
    return [took * 1e3] + [int(status[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM")]


def size(path):
    """Returns the bytes of a file, or of all files in a folder."""
    if not os.path.isdir(path):
        return os.path.getsize(path) if os.path.exists(path) else 0
    return sum(
        os.lstat(os.path.join(folder, name)).st_size
        for folder, _, names in os.walk(path) if not folder.endswith("__pycache__") for name in names)


def measure(folders):
    """Starts every program in turn, so many times, after once to have its files in
    memory. Returns by name: median_ms, min_ms, rss and hwm (medians) and disk in
    bytes; or failed."""
    reference = np.fromfile(f"{folders.files}/{WORKLOAD}.out.f32", np.float32)
    environment, everyone = folders.environment(), programs(folders)
    figures, failed = {name: [] for name in everyone}, {}
    for i in range(RUNS + 1):
        for name, (command, _) in everyone.items():
            if name in failed:
                continue
            try:
                figure = once(command, environment, reference)
            except (OSError, ValueError, KeyError, RuntimeError) as e:
                failed[name] = {"failed": str(e)}
                continue
            if i > 0:
                figures[name].append(figure)
    outcome = {}
    for name, rows in figures.items():
        if name not in failed:
            ms, rss, hwm = ([row[k] for row in rows] for k in range(3))
            outcome[name] = {
                "median_ms": statistics.median(ms), "min_ms": min(ms),
                "rss": statistics.median(rss), "hwm": statistics.median(hwm),
                "disk": sum(size(path) for path in everyone[name][1]),
            }
    return outcome | failed
