"""Draws what [resample] does: its JSON comes in, as `headrace inspect --plot` makes it; the picture's path is the argument.

A column per variable: the classes' distributions as they are (dashed) and as trainers get them (lines), and under them
how far each is from the target's.
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

WIDE = 40  # bins whose widths differ more than this are drawn over logarithms


def density(counts, edges):
    counts = np.asarray(counts, float)
    return counts / max(counts.sum(), 1) / np.diff(edges)


def logarithmic(edges):
    widths = np.diff(edges)
    return widths.max() > WIDE * widths.min() and edges[0] >= 0


def draw_variable(upper, lower, variable, classes):
    edges = np.asarray(variable["edges"], float)
    target = density(np.sum(variable["after"], axis=0), edges)
    for number, name in enumerate(classes):
        color = f"C{number % 10}"
        before, after = (density(variable[when][number], edges) for when in ("before", "after"))
        upper.stairs(before, edges, color=color, linestyle="--", linewidth=1)
        upper.stairs(after, edges, color=color, label=name, linewidth=1.5, alpha=0.8)
        with np.errstate(divide="ignore", invalid="ignore"):
            for values, style in ((before, "--"), (after, "-")):
                lower.stairs(np.where(target > 0, values / target, np.nan), edges, color=color, linestyle=style, linewidth=1.2)
    lower.axhline(1, color="black", linewidth=0.6)
    lower.set_ylim(0, 2)
    lower.set_xlabel(variable["name"])
    if logarithmic(edges):
        lower.set_xscale("symlog", linthresh=float(np.diff(edges).min()))
    peaks = [density(variable[when][number], edges) for when in ("before", "after") for number in range(len(classes))]
    smallest = min((d[d > 0].min() for d in peaks if (d > 0).any()), default=1)
    if max(d.max() for d in peaks) > 100 * smallest:
        upper.set_yscale("log")
    upper.tick_params(labelbottom=False)


def main(path):
    told = json.load(sys.stdin)
    streams = told["streams"]
    columns = max(len(stream["variables"]) for stream in streams)
    figure = plt.figure(figsize=(5.5 * columns, 5 * len(streams)), layout="constrained")
    for part, stream in zip(np.atleast_1d(figure.subfigures(len(streams), 1)), streams, strict=True):
        part.suptitle(f"stream {stream['name']}, target {told['target']}", x=0.01, ha="left", fontsize="medium")
        axes = part.subplots(2, len(stream["variables"]), squeeze=False, sharex="col", height_ratios=[3, 1])
        for column, variable in enumerate(stream["variables"]):
            draw_variable(axes[0][column], axes[1][column], variable, stream["classes"])
        axes[0][0].set_ylabel("density")
        axes[1][0].set_ylabel("of the target's")
        handles, names = axes[0][0].get_legend_handles_labels()
        handles += [plt.Line2D([], [], color="grey", linestyle=style) for style in ("--", "-")]
        axes[0][-1].legend(handles, [*names, "as in the files", "as delivered"], fontsize="small")
    figure.savefig(path, dpi=110)


main(sys.argv[1])
