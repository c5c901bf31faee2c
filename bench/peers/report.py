"""Writes the report of the last run: tables for readers, and the same as JSON."""

import glob
import json
import os
import statistics

import workloads

OURS, OURS_AVX2 = "ragedge", "ragedge-avx2"

# How many times as fast as the best of the others ragedge wants to be, by the least
# time of each; and with AVX2 only, as torch with AVX2 only.
GOALS = {"W1": 2.5, "W2": 1.5, "W3": 1.05, "W4": 1.1, "W5": 2, "W6": 1.1, "W7": 1.15, "W8": 1.15, "softmax": 2}
GOALS_AVX2 = {"W1": 20, "W2": 6, "W3": 1.3, "W4": 1.15, "W5": 3, "W6": 1.15, "W7": 1.15, "W8": 1.2}
# Share of the multiply-adds that the kernel set could do.
MATMUL_GOAL = 0.9
# Of a program that runs W1 once: resident bytes, milliseconds, bytes on disk.
COLD_GOAL = {"hwm": 8 << 20, "median_ms": 10, "disk": 10_000_000}

FMA_FLOP = 2 * (12 << 16)  # of a run of fma in the Go worker


def least(run, workload, contender):
    """Returns the least time of all single runs, None when there is none."""
    turns = run["times"].get(workload, {}).get(contender)
    return min(turn[0] for turn in turns) if turns else None


def ratio(run, workload, ours, others):
    """Returns the best of the others, its least time, ours, and how many times as
    fast ours is; None without a time of either."""
    found = {name: least(run, workload, name) for name in others}
    found = {name: time for name, time in found.items() if time}
    mine = least(run, workload, ours)
    if not found or not mine:
        return None
    best = min(found, key=found.get)
    return {"peer": best, "peer_ns": found[best], "ours_ns": mine, "ratio": found[best] / mine}


def goals(runs, index, wanted, ours, choose):
    """Returns a row for each goal, of the last run and with the ratios of all runs.
    choose tells which of the others count. share is that of the multiply-adds that
    the kernel set could do, goal_share what it would be at the goal; savings count
    as if they had been done."""
    rows, fma = [], least(runs[-1], "fma", ours)
    for workload, goal in wanted.items():
        compared = [ratio(run, workload, ours, [n for n in run["times"].get(workload, {}) if choose(n)]) for run in runs]
        row = {"workload": workload, "goal": goal, "all_runs": [c and c["ratio"] for c in compared]}
        if compared[-1]:
            row |= compared[-1] | {"met": compared[-1]["ratio"] >= goal}
            if index[workload]["flop"] and fma:
                row["share"] = index[workload]["flop"] / row["ours_ns"] * fma / FMA_FLOP
                row["goal_share"] = row["share"] * goal / row["ratio"]
        rows.append(row)
    return rows


def is_peer(name):
    return name not in (OURS, OURS_AVX2)


def is_torch_avx2(name):
    return name.startswith("torch") and name.endswith("-avx2")


def matmul_goals(run):
    """Returns, for both kernel sets, the share of the multiply-adds that they could do."""
    rows = []
    for ours in (OURS, OURS_AVX2):
        time, peak = least(run, "matmul", ours), least(run, "fma", ours)
        if time and peak:
            rate, most = workloads.kernel_flop("matmul") / time, FMA_FLOP / peak
            rows.append({"name": ours, "gflops": rate, "peak_gflops": most, "share": rate / most, "met": rate / most >= MATMUL_GOAL})
    return rows


def table(head, rows):
    """Returns a Markdown table; the first column is text, the others are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(row) + " |\n" for row in lines) + "\n"


def us(ns):
    """Returns microseconds with three digits."""
    return "" if ns is None else f"{ns / 1e3:.3g}" if ns < 1e6 else f"{ns / 1e3:.0f}"


def verdict(row):
    return {True: "met", False: "missed", None: "not measured"}[row.get("met")]


def goal_table(rows):
    def cells(row):
        every = [r for r in row["all_runs"] if r]
        shares = f"{row['share']:.0%}, {row['goal_share']:.0%}" if "share" in row else ""
        return [row["workload"], row.get("peer", ""), us(row.get("peer_ns")), us(row.get("ours_ns")),
                f"{row['ratio']:.2f}" if "ratio" in row else "", f"{row['goal']:g}", verdict(row),
                f"{min(every):.2f}–{max(every):.2f}" if every else "", shares]

    head = ["workload", "best peer", "its min µs", "ragedge min µs", "ratio", "goal", "",
            f"ratio in all runs ({len(rows[0]['all_runs'])})", "share of the multiply-adds, at the goal"]
    return table(head, [cells(row) for row in rows])


def workload_table(run, name, entry, peaks):
    rows = []
    for contender, turns in run["times"][name].items():
        best, median = min(t[0] for t in turns), statistics.median(t[1] for t in turns)
        rate = f"{entry['flop'] / best:.3g}" if entry["flop"] else ""
        rows.append((best, [contender, us(median), us(best), rate, f"{run['errors'][name][contender]:.0e}"]))
    text = f"### {name + ' ' if entry['model'] else ''}{entry['title']}\n\n"
    if entry["flop"]:
        floors = ", ".join(f"{us(entry['flop'] / rate)} µs for {ours}" for ours, rate in peaks.items())
        text += f"{entry['flop'] / 1e6:.4g} MFLOP. Multiply-adds alone would take {floors}.\n\n"
    return text + table(["", "median µs", "min µs", "GFLOP/s at min", "worst error"], [row for _, row in sorted(rows)])


def cold_table(cold):
    def cells(name, c):
        if "failed" in c:
            return [name, "failed", "", "", "", ""]
        return [name, f"{c['median_ms']:.1f}", f"{c['min_ms']:.1f}", *(f"{c[k] / 2**20:.1f}" for k in ("rss", "hwm")), f"{c['disk'] / 1e6:.1f}"]

    head = ["W1, once", "first result, median ms", "min ms", "VmRSS MiB", "VmHWM MiB", "on disk MB"]
    return table(head, [cells(*item) for item in cold.items()])


def markdown(run, runs, summary, index, cold):
    machine, versions = run["machine"], ", ".join(f"{name} {v}" for name, v in run["versions"].items())
    text = (
        f"# ragedge and other engines, {run['date']}\n\n"
        f"{machine['cpu']} (family {machine['family']}, model {machine['model']}), {machine['cpus']} CPUs, "
        f"{machine['memory_gib']} GiB, Linux {machine['kernel']}; {' '.join(machine['flags'])}.\n\n{versions}.\n\n"
        f"One thread, float32. {len(run['loads'])} rounds with turns of {run['seconds']:g} s; load average before each: "
        f"{' '.join(f'{load:.1f}' for load in run['loads'])}.\n\n"
        f"## Goals\n\nThe least time of the best peer over that of ragedge.\n\n{goal_table(summary['goals'])}"
        f"With AVX2 only: the best of torch held to AVX2 over ragedge held to AVX2.\n\n{goal_table(summary['goals_avx2'])}"
        f"The same with torch-eager-avx2 alone.\n\n{goal_table(summary['goals_eager_avx2'])}"
    )
    rows = [[m["name"], f"{m['gflops']:.0f}", f"{m['peak_gflops']:.0f}", f"{m['share']:.0%}", f"{MATMUL_GOAL:.0%}", verdict(m)] for m in summary["matmul"]]
    text += table(["matrix product 128x256x768", "GFLOP/s", "multiply-adds alone", "share", "goal", ""], rows)
    if cold:
        rows = [[name, f"{c['value']:.3g}", f"{c['goal']:.3g}", verdict(c)] for name, c in summary["cold"].items()]
        text += table(["ragedge, W1 once", "", "goal", ""], rows) + "## Cold start\n\n" + cold_table(cold)
    peaks = {m["name"]: m["peak_gflops"] for m in summary["matmul"]}
    text += "## Workloads\n\n" + "".join(
        workload_table(run, name, entry, peaks) for name, entry in index.items() if run["times"].get(name))
    failed = [f"* {who}, {name}: {why}\n" for who, whys in run["failed"].items() for name, why in whys.items()]
    failed += [f"* {who}, cold start: {c['failed']}\n" for who, c in cold.items() if "failed" in c]
    if failed:
        text += "## Not measured\n\n" + "".join(failed)
    return text


def summarise(runs, index, cold):
    run = runs[-1]
    summary = {
        "goals": goals(runs, index, GOALS, OURS, is_peer),
        "goals_avx2": goals(runs, index, GOALS_AVX2, OURS_AVX2, is_torch_avx2),
        "goals_eager_avx2": goals(runs, index, GOALS_AVX2, OURS_AVX2, lambda name: name == "torch-eager-avx2"),
        "matmul": matmul_goals(run), "cold": {},
    }
    ours = cold.get(OURS, {})
    for key, unit, label in (("hwm", 2**20, "resident at most, MiB"), ("median_ms", 1, "first result, median ms"), ("disk", 1e6, "on disk, MB")):
        if key in ours:
            summary["cold"][label] = {"value": ours[key] / unit, "goal": COLD_GOAL[key] / unit, "met": ours[key] <= COLD_GOAL[key]}
    return summary


def read(path):
    with open(path) as file:
        return json.load(file)


def write(folders):
    paths = sorted(glob.glob(f"{folders.runs}/*.json"))
    if not paths:
        raise SystemExit(f"peers.py: no run in {folders.runs}: run the step bench first")
    runs, index = [read(path) for path in paths], read(f"{folders.files}/workloads.json")
    cold = read(f"{folders.top}/cold.json") if os.path.exists(f"{folders.top}/cold.json") else {}
    summary = summarise(runs, index, cold)
    with open(f"{folders.top}/report.json", "w") as file:
        json.dump({"summary": summary, "run": runs[-1], "cold": cold}, file, indent=1)
    with open(f"{folders.top}/report.md", "w") as file:
        file.write(markdown(runs[-1], runs, summary, index, cold))
