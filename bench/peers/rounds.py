"""Times the contenders in turn.

All workers are loaded at once and asked one at a time. A round takes each workload
in turn, and within it each contender; the next round starts with another one. So
whatever slows the machine for a while slows them all alike.
"""

import json
import os
import select
import subprocess
import sys
import time

# The worst error that float32 explains. One with less precision is no peer, and one
# with a wrong output is not timed.
TOLERANCE = 1e-5

LOAD_SECONDS, ANSWER_SECONDS = 300, 60


class Worker:
    """A worker process, and what it cannot do."""

    def __init__(self, contender, log):
        self.contender, self.failed = contender, {}
        self.process = subprocess.Popen(
            contender.command, env=contender.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def ask(self, request, seconds):
        """Returns the answer, or {"failed": why} also when there is none."""
        try:
            self.process.stdin.write(request.encode() + b"\n")
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                self.process.kill()
                return {"failed": f"{request}: no answer in {seconds} s"}
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            return {"failed": f"{request}: the worker ended; workers.log may say why"}

    def checked(self, workload, request, seconds):
        """Returns the answer, or None when it failed or the output is wrong."""
        answer = self.ask(request, seconds)
        if "failed" not in answer and answer["error"] > TOLERANCE:
            answer["failed"] = f"wrong output: {answer['error']:.1e} from the reference"
        if "failed" in answer:
            self.failed[workload] = answer["failed"]
            return None
        return answer

    def close(self):
        self.process.kill()  # there is nothing that it has to save
        self.process.wait()


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(contenders, names, rounds, seconds, minutes, log, save):
    """Runs the rounds, as many as asked or as the minutes allow, and calls save with
    the outcome after each:

        loads      the load average before each round
        times      by workload and contender: [min_ns, median_ns] of each turn
        errors     by workload and contender: the worst error
        failed     by contender and workload: why there is no time
    """
    end = time.monotonic() + 60 * minutes
    workers, times, errors, loads = [], {}, {}, []
    try:
        for contender in contenders:
            start = time.monotonic()
            worker = Worker(contender, log)
            workers.append(worker)
            for name in contender.workloads:
                answer = worker.checked(name, f"load {name}", LOAD_SECONDS)
                if answer:
                    errors.setdefault(name, {})[contender.name] = answer["error"]
            took, bad = time.monotonic() - start, ", ".join(f"{w}: {why}" for w, why in worker.failed.items())
            say(f"{contender.name} loaded in {took:.1f} s{'; failed: ' + bad if bad else ''}")

        longest = 0
        for i in range(rounds):
            start = time.monotonic()
            if i > 0 and start + longest > end:
                say(f"{minutes} minutes are over")
                break
            loads.append(os.getloadavg()[0])
            first = i % len(workers)
            for name in names:
                for worker in workers[first:] + workers[:first]:
                    if name not in worker.contender.workloads or name in worker.failed:
                        continue
                    answer = worker.checked(name, f"time {name} {seconds}", ANSWER_SECONDS)
                    if answer is None:
                        say(f"{worker.contender.name}, {name}: {worker.failed[name]}")
                        times.get(name, {}).pop(worker.contender.name, None)
                        continue
                    by = times.setdefault(name, {}).setdefault(worker.contender.name, [])
                    by.append([answer["min_ns"], answer["median_ns"]])
                    errors[name][worker.contender.name] = max(errors[name][worker.contender.name], answer["error"])
            longest = max(longest, time.monotonic() - start)
            say(f"round {i + 1} of {rounds}: {time.monotonic() - start:.0f} s, load {loads[-1]:.2f}")
            failed = {w.contender.name: w.failed for w in workers if w.failed}
            save({"loads": loads, "times": times, "errors": errors, "failed": failed})
    finally:
        for worker in workers:
            worker.close()
