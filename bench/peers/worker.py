"""worker.py ENGINE FOLDER runs one engine on the workloads of FOLDER.

Both workers, this and the one in Go, read a request from each line of standard input
and answer each with a line of JSON:

    load W           {"error": e}: loaded and run once
    time W SECONDS   {"min_ns": n, "median_ns": n, "runs": n, "error": e}: a quarter
                     of the time warms up, and each run after that is timed by itself

e is the worst error of the last run's output: the largest difference from the
reference over the largest value of the reference. A request that fails is answered
with {"failed": why}. The worker ends when its input does.
"""

import json
import os
import sys
import time

import numpy as np

import engines

LEAST_RUNS, MOST_RUNS = 5, 200_000


class Workload:
    def __init__(self, load, folder, name, entry):
        self.reference = np.fromfile(f"{folder}/{name}.out.f32", np.float32).reshape(entry["output"])
        self.run, self.output = load(folder, name, engines.inputs(folder, name, entry), entry["output"])
        for _ in range(3):  # some engines optimise on the first runs
            self.run()

    def error(self):
        y, want = np.asarray(self.output(), np.float64), self.reference.astype(np.float64)
        if want.size == 0:
            return 0.0
        worst = float(np.max(np.abs(y.reshape(want.shape) - want)) / np.max(np.abs(want)))
        if not np.isfinite(worst):
            raise ValueError("the output is not finite")
        return worst

    def time(self, seconds):
        run, clock = self.run, time.perf_counter_ns
        start = clock()
        while clock() < start + seconds * 0.25e9:
            run()
        times, end = [], clock() + seconds * 0.75e9
        while len(times) < LEAST_RUNS or (len(times) < MOST_RUNS and clock() < end):
            before = clock()
            run()
            times.append(clock() - before)
        times.sort()
        return {"min_ns": times[0], "median_ns": times[len(times) // 2], "runs": len(times)}


def serve(load, folder, requests, answer):
    with open(f"{folder}/workloads.json") as file:
        index = json.load(file)
    loaded = {}
    for request in requests:
        try:
            verb, name, *rest = request.split()
            if verb == "load":
                loaded[name] = Workload(load, folder, name, index[name])
                answer({"error": loaded[name].error()})
            elif verb == "time" and name not in loaded:
                answer({"failed": f"{name} is not loaded"})
            elif verb == "time":
                figures = loaded[name].time(float(rest[0]))
                answer(figures | {"error": loaded[name].error()})
            else:
                answer({"failed": f"request {verb}: want load or time"})
        except Exception as e:
            answer({"failed": f"{type(e).__name__}: {e}"[:500]})


def main(engine, folder):
    # Engines print on standard output; the answers keep it for themselves.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        print(json.dumps(value), file=out, flush=True)

    serve(engines.ENGINES[engine](), folder, sys.stdin, answer)
    out.flush()
    os._exit(0)  # engines may take seconds to go


if __name__ == "__main__":
    main(*sys.argv[1:])
