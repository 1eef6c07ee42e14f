#!/usr/bin/env python3
"""A trainer that computes something real: per class of the samples, the mean of what each field sums up to.

    quickstart_trainer.py run SERVICE --out PART.json       attaches as RANK of WORLD_SIZE, goes through all epochs
    quickstart_trainer.py check FILE PART.json...           adds up the trainers' parts, holds them against h5py

In an LCD file that is the mean energy in each calorimeter by kind of particle; in a file of images the mean brightness
by label. Nothing is known about the file beforehand: what the service offers says which field is a label.
"""

import argparse
import json
import math
import pathlib
import sys
import time

import h5py
import numpy as np

LABELS = ("onehot", "label", "labels", "class", "classes", "y")
BOOKKEEPING = ("index", "id", "ids", "event", "eventnumber")
CLASSES_AT_MOST = 1000
PIECE = 1024  # samples that the check reads at a time


class Plan:
    """Which field tells the class, and which are summed; from name -> (shape of a row, dtype)."""

    def __init__(self, fields):
        by_name = {name.split("/")[-1].lower(): name for name in reversed(fields)}
        self.label = next((by_name[n] for n in LABELS if n in by_name and self._fits(*fields[by_name[n]])), None)
        plain = [n for n in fields if n != self.label and n.split("/")[-1].lower() not in BOOKKEEPING]
        large = [n for n in plain if math.prod(fields[n][0]) >= 16]
        self.summed = large or plain

    @staticmethod
    def _fits(shape, dtype):
        return len(shape) == 1 or (shape == () and np.dtype(dtype).kind in "iub")

    def classes(self, rows):
        """The class of each row."""
        if self.label is None:
            return None
        values = np.asarray(rows[self.label])
        return values.argmax(axis=1) if values.ndim == 2 else values

    def add(self, totals, rows, count):
        """Adds `count` rows of a name -> array mapping to totals[field][class] = [rows, sum]."""
        classes = self.classes(rows)
        for name in self.summed:
            values = np.asarray(rows[name])[:count]
            sums = values.reshape(count, math.prod(values.shape[1:])).sum(axis=1, dtype=np.float64)
            mine = totals.setdefault(name, {})
            for number in [0] if classes is None else np.unique(classes[:count]):
                chosen = sums if classes is None else sums[classes[:count] == number]
                entry = mine.setdefault(str(int(number)), [0, 0.0])
                entry[0] += len(chosen)
                entry[1] += float(chosen.sum())
        return totals


def run(arguments):
    import headrace

    with headrace.connect(arguments.service, timeout=120) as stream:
        plan = Plan({name: (spec.shape, spec.dtype) for name, spec in stream.schema.items()})
        row_bytes = sum(math.prod(s.shape) * np.dtype(s.dtype).itemsize for s in stream.schema.values())
        epochs = []
        while not stream.finished:
            rows, totals, began = 0, {}, time.monotonic()
            for batch in stream:
                plan.add(totals, batch, batch.rows)
                rows += batch.rows
            epochs.append({"rows": rows, "bytes": rows * row_bytes, "began": began, "ended": time.monotonic(), "totals": totals})
    arguments.out.write_text(json.dumps({"label": plan.label, "summed": plan.summed, "epochs": epochs}))


def dataset(file, name):
    """The dataset of a field: of that path, or the only one of that name."""
    if name in file:
        return file[name]
    found = []
    file.visititems(lambda path, node: found.append(node) if path.split("/")[-1] == name else None)
    return found[0]


def expected(path, parts):
    """The same sums by h5py, over the whole file in order."""
    plan, totals = Plan({}), {}
    plan.label, plan.summed = parts[0]["label"], parts[0]["summed"]
    with h5py.File(path) as file:
        sets = {name: dataset(file, name) for name in [*plan.summed, *([plan.label] if plan.label else [])]}
        samples = len(sets[plan.summed[0]])
        for first in range(0, samples, PIECE):
            rows = {name: data[first : first + PIECE] for name, data in sets.items()}
            plan.add(totals, rows, min(PIECE, samples - first))
    return samples, totals


def together(parts, epoch):
    totals = {}
    for part in parts:
        for name, classes in part["epochs"][epoch]["totals"].items():
            for number, (rows, value) in classes.items():
                entry = totals.setdefault(name, {}).setdefault(number, [0, 0.0])
                entry[0] += rows
                entry[1] += value
    return totals


def same(a, b):
    return a.keys() == b.keys() and all(
        a[name].keys() == b[name].keys()
        and all(a[name][c][0] == b[name][c][0] and math.isclose(a[name][c][1], b[name][c][1], rel_tol=1e-9, abs_tol=1e-6)
                for c in a[name])
        for name in a
    )


def print_means(label, totals):
    names = list(totals)
    print(f"  {'class' if label else '':>10}{'samples':>10}" + "".join(f"{n:>14}" for n in names))
    for number in sorted(totals[names[0]], key=int):
        rows = totals[names[0]][number][0]
        means = "".join(f"{totals[n][number][1] / rows:>14.4f}" for n in names)
        print(f"  {number if label else 'all':>10}{rows:>10}{means}")


def check(arguments):
    parts = [json.loads(path.read_text()) for path in arguments.parts]
    samples, reference = expected(arguments.file, parts)
    print(f"means of the sums of {', '.join(parts[0]['summed'])}" + (f" by {parts[0]['label']}:" if parts[0]["label"] else ":"))
    print_means(parts[0]["label"], reference)
    good = True
    for epoch in range(len(parts[0]["epochs"])):
        runs = [part["epochs"][epoch] for part in parts]
        seconds = max(r["ended"] for r in runs) - min(r["began"] for r in runs)
        rows, size = sum(r["rows"] for r in runs), sum(r["bytes"] for r in runs)
        agrees = rows == samples and same(together(parts, epoch), reference)
        good = good and agrees
        print(f"epoch {epoch}: {rows} samples in {seconds:.2f} s by {len(parts)} trainers: {rows / seconds:,.0f} samples/s, "
              f"{size / seconds / 1e6:,.0f} MB/s; " + ("the same means as by h5py" if agrees else "NOT the means by h5py"))
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    runner = commands.add_parser("run")
    runner.add_argument("service")
    runner.add_argument("--out", type=pathlib.Path, required=True)
    runner.set_defaults(call=run)
    checker = commands.add_parser("check")
    checker.add_argument("file", type=pathlib.Path)
    checker.add_argument("parts", type=pathlib.Path, nargs="+")
    checker.set_defaults(call=check)
    arguments = parser.parse_args()
    return arguments.call(arguments)


if __name__ == "__main__":
    sys.exit(main())
