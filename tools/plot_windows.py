"""Draws what `headrace plan --plot` tells of streams in windows: its JSON comes in; the picture's path is the argument.

Left: where in the files the samples of some batches lie, under those of a global shuffle. Right, where a label is named:
of which classes they are; the grey bar is the share of all samples.
"""
import json
import sys

try:
    import matplotlib
    import numpy as np

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
except ImportError:
    sys.exit(3)  # told by the caller

MOST_FILES = 60  # whose borders are drawn


def draw_places(axes, told, stream):
    batches = stream["batches"]
    for row, batch in enumerate(batches):
        places = np.asarray(batch["samples"], float) / told["samples"]
        color = "grey" if row == 0 else f"C{(row - 1) % 10}"
        axes.eventplot(places, lineoffsets=-row, linelengths=0.8, linewidths=0.4, colors=color, alpha=0.6)
    if len(told["files"]) <= MOST_FILES:
        for first in told["files"][1:]:
            axes.axvline(first / told["samples"], color="black", linewidth=0.4)
    axes.set_xlim(0, 1)
    axes.set_yticks(-np.arange(len(batches)), [batch["name"] for batch in batches])
    axes.set_xlabel("place in the files")


def draw_classes(axes, stream):
    classes = stream["classes"]
    shares = np.asarray(classes["shares"])
    width = 0.9 / len(shares)
    for row, (batch, counts) in enumerate(zip(stream["batches"], classes["counts"], strict=True)):
        parts = np.asarray(counts) / max(1, len(batch["samples"]))
        tallest = max(shares.max(), 0.01) * 2
        for number, (part, share) in enumerate(zip(parts, shares, strict=True)):
            x, base = (number - len(shares) / 2 + 0.5) * width, -row - 0.4
            axes.bar(x, 0.8 * min(1, share / tallest), width, base, color="lightgrey")
            axes.bar(x, 0.8 * min(1, part / tallest), width * 0.5, base, color=f"C{number % 10}")
    axes.set_xticks((np.arange(len(shares)) - len(shares) / 2 + 0.5) * width, classes["names"], fontsize="small")
    axes.set_yticks([])
    axes.set_ylim(-len(stream["batches"]) + 0.5, 0.5)
    axes.set_xlabel(f"{classes['label']} (grey: share of all samples)")


def main(path):
    told = json.load(sys.stdin)
    streams = told["streams"]
    height = sum(1.5 + 0.45 * len(stream["batches"]) for stream in streams)
    figure = plt.figure(figsize=(12, height), layout="constrained")
    for part, stream in zip(np.atleast_1d(figure.subfigures(len(streams), 1)), streams, strict=True):
        part.suptitle(f"stream {stream['name']}: {stream['windows']} windows of {stream['blocks']} blocks", x=0.01, ha="left",
                      fontsize="medium")
        if stream["classes"]:
            left, right = part.subplots(1, 2, width_ratios=[2, 1])
            draw_classes(right, stream)
        else:
            left = part.subplots(1, 1)
        draw_places(left, told, stream)
    figure.savefig(path, dpi=110)


main(sys.argv[1])
