"""Makes the files of the task watch from the Python package seglearn 1.2.5.

    pip install numpy seglearn==1.2.5 --no-deps
    python tasks/watch/fetch.py [DIRECTORY]

writes DIRECTORY/watch/series.csv and subject-NN.csv.gz (default: ../shared/data). Only
numpy is needed besides the package's data file, which is found without importing it.
"""

import csv
import gzip
import importlib.util
import pathlib
import sys

import numpy

RATE = 50  # samples a second
# The people who are used, and who was recorded together with whom: see README.md.
GROUP = {1: 1, 2: 1, 3: 3, 4: 3, 7: 7, 10: 7, 8: 8, 9: 8}


def main(directory):
    package = pathlib.Path(importlib.util.find_spec("seglearn").origin).parent
    # The file is a pickle: it may run code, so it comes from a package of a known version.
    data = numpy.load(package / "data" / "watch_dataset.npy", allow_pickle=True).item()
    out = pathlib.Path(directory) / "watch"
    out.mkdir(parents=True, exist_ok=True)
    listed, people = [], {}
    for number, series in enumerate(data["X"]):
        subject, label = int(data["subject"][number]), int(data["y"][number])
        if subject not in GROUP:
            continue
        exercise, side = data["y_labels"][label], "LR"[int(data["side"][number])]
        listed.append([number, f"subject-{subject:02}.csv.gz", subject, GROUP[subject], exercise, label, side, len(series)])
        people.setdefault(subject, []).extend(
            [number, exercise, side, f"{i / RATE:.2f}", *(f"{v:.6f}" for v in row)] for i, row in enumerate(series)
        )
    with open(out / "series.csv", "w", newline="") as file:
        write(file, "series,file,subject,group,exercise,label,side,rows", listed)
    for subject, rows in people.items():
        with gzip.open(out / f"subject-{subject:02}.csv.gz", "wt", newline="") as file:
            write(file, "series,exercise,side,t,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z", rows)


def write(file, head, rows):
    table = csv.writer(file, lineterminator="\n")
    table.writerow(head.split(","))
    table.writerows(rows)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["../shared/data"]))
