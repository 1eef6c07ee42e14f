"""Draws one sample: its JSON, as `headrace inspect --sample --json` writes it, comes in; the picture's path is the argument.

Images are drawn as images, volumes as their three projections, rows of numbers as lines, tables as tables.
"""
import json
import math
import sys

try:
    import matplotlib
    import numpy as np

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.colors import LogNorm
except ImportError:
    sys.exit(3)  # told by the caller

COLUMNS = 3  # of the page, at most
MOST_ROWS, MOST_COLUMNS = 12, 8  # of a table; more are shortened
MOST_STEPS = 60  # values drawn as steps; more are a line
MOST_LINES = 6  # rows of numbers drawn together; more are an image
SHADE = "#eef2f7"


def short(value):
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return str(value)
    return f"{value:.4g}"


def fitting(name, most=20):
    """The name, without its middle where it is too long for a column."""
    return name if len(name) <= most else f"{name[:most - 8]}…{name[-7:]}"


def kept(count, most):
    """Which of so many are shown; None stands for those left out."""
    if count <= most:
        return list(range(count))
    return [*range(most - 3), None, count - 2, count - 1]


def draw_table(figure, name, rows, row_names, column_names):
    """rows of numbers, at most MOST_ROWS x MOST_COLUMNS of them."""
    axes = figure.subplots()
    axes.axis("off")
    axes.set_title(name, loc="left")
    shown_rows, shown_columns = kept(len(rows), MOST_ROWS), kept(len(rows[0]), MOST_COLUMNS)
    text = [["…" if r is None or c is None else short(rows[r][c]) for c in shown_columns] for r in shown_rows]
    labels = {"rowLabels": ["…" if r is None else row_names[r] for r in shown_rows]} if row_names else {}
    if column_names:
        labels["colLabels"] = ["…" if c is None else fitting(column_names[c]) for c in shown_columns]
    table = axes.table(text, loc="upper center", cellLoc="right", bbox=None, **labels)
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    table.scale(1, 1.25)
    for (row, column), cell in table.get_celld().items():
        cell.set_linewidth(0)
        if column_names and row == 0 or column == -1:
            cell.set_text_props(weight="bold")
        elif row % 2:
            cell.set_facecolor(SHADE)


def norm_of(image):
    """Logarithmic where values reach over many decades, as deposited energies do."""
    positive = image[np.isfinite(image) & (image > 0)]
    if np.nanmin(image, initial=0) < 0 or len(positive) < 2 or positive.max() < 100 * np.median(positive):
        return None
    return LogNorm(max(positive.min(), positive.max() * 1e-6), positive.max())


def show(figure, axes, image, across, down, norm=None):
    shown = np.where(image > 0, image, np.nan) if isinstance(norm, LogNorm) else image
    ratio = image.shape[0] / image.shape[1]
    drawn = axes.imshow(shown, norm=norm, cmap="viridis", interpolation="nearest",
                        aspect="equal" if 0.2 < ratio < 5 else "auto")
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.get_major_locator().set_params(integer=True)
    figure.colorbar(drawn, ax=axes, shrink=0.8)


def draw_image(figure, name, image):
    axes = figure.subplots()
    axes.set_title(name, loc="left")
    if image.ndim == 3:  # colours
        axes.imshow(image)
    else:
        show(figure, axes, image, "axis 1", "axis 0", norm_of(image))


def draw_volume(figure, name, volume):
    figure.suptitle(name, x=0.01, ha="left")
    sums = [np.nansum(volume, axis=axis) for axis in (2, 1, 0)]
    for axes, image, gone in zip(figure.subplots(1, 3), sums, (2, 1, 0)):
        rest = [axis for axis in range(3) if axis != gone]
        show(figure, axes, image, f"axis {rest[1]}", f"axis {rest[0]}", norm_of(image))
        axes.set_title(f"sum over axis {gone}", fontsize=9)


def draw_lines(figure, name, rows):
    axes = figure.subplots()
    axes.set_title(name, loc="left")
    for number, values in enumerate(rows):
        if len(values) <= MOST_STEPS:  # one step for each, centred on its number
            axes.stairs(values, np.arange(len(values) + 1) - 0.5, baseline=None, linewidth=1.2, label=str(number))
        else:
            axes.plot(values, linewidth=1, label=str(number))
    axes.margins(x=0)
    axes.grid(alpha=0.3)
    axes.set_xlabel("element")
    axes.xaxis.get_major_locator().set_params(integer=True)
    if len(rows) > 1:
        axes.legend(title="axis 0", fontsize=7, title_fontsize=7)


def draw_flags(figure, name, values):
    """A mask: one square for each element."""
    axes = figure.subplots()
    flags = np.asarray(values, float)
    flags = flags.reshape(1, -1) if flags.ndim == 1 else flags
    axes.imshow(flags, cmap="Blues", vmin=0, vmax=1.25, interpolation="nearest", aspect="auto")
    axes.set_title(f"{name}: {int(flags.sum())} of {flags.size}", loc="left")
    if len(flags) == 1:
        axes.set_yticks([])
        axes.set_box_aspect(0.12)
        axes.set_xticks(np.arange(-0.5, flags.size), minor=True)
        axes.grid(which="minor", axis="x", color="white", linewidth=1 if flags.size <= 80 else 0)
        axes.tick_params(which="minor", length=0)


def draw_bars(figure, name, values, labels):
    axes = figure.subplots()
    axes.barh(range(len(values)), values)
    axes.set_yticks(range(len(values)), labels)
    axes.invert_yaxis()
    axes.set_title(name, loc="left")


def as_picture(values):
    """Height x width x colours between 0 and 1, where the first or the last axis can only hold colours; else None."""
    if values.ndim == 3 and values.shape[0] == 3 and min(values.shape[1:]) >= 16:
        values = np.moveaxis(values, 0, -1)
    if values.ndim != 3 or values.shape[-1] not in (3, 4) or min(values.shape[:2]) < 16:
        return None
    low, high = np.nanmin(values), np.nanmax(values)
    return np.clip((values - low) / (high - low or 1), 0, 1)


def panel(field):
    """(columns of the page, height, function that draws) of a field with more than one value."""
    values = np.array(field["values"], float)  # null becomes NaN
    shape = tuple(field["shape"])
    name = f"{field['name']}  {field['type']} {shape}".replace(",)", ")")
    slim = values.squeeze()
    if field["type"] == "bool" and slim.ndim <= 2:
        return 1, 1.3 if slim.ndim == 1 else 3, lambda f: draw_flags(f, name, slim)
    if field["classes"] and slim.ndim == 1 and len(slim) == len(field["classes"]) <= 20:
        return 1, 0.9 + 0.25 * len(slim), lambda f: draw_bars(f, name, slim, field["classes"])
    if field["columns"] and slim.ndim <= 2 and shape[-1] == len(field["columns"]):
        rows = values.reshape(-1, shape[-1])
        named = [str(i) for i in range(len(rows))] if len(shape) > 1 else None
        height = 0.6 + 0.25 * (min(len(rows), MOST_ROWS) + 1)
        width = 3 if len(rows[0]) > 4 else 2 if len(rows[0]) > 2 else 1
        return width, height, lambda f: draw_table(f, name, rows, named, field["columns"])
    if slim.ndim == 1 or slim.ndim == 2 and len(slim) <= MOST_LINES and slim.shape[1] > MOST_STEPS:
        return 1, 2.4, lambda f: draw_lines(f, name, np.atleast_2d(slim))
    if slim.ndim == 2:
        if slim.size <= 40:
            table = slim.tolist()
            height = 0.6 + 0.25 * len(slim)
            return 1 if len(slim[0]) <= 4 else 2, height, lambda f: draw_table(f, name, table, None, None)
        return 1, 3.2, lambda f: draw_image(f, name, slim)
    if (picture := as_picture(slim)) is not None:
        return 1, 3.2, lambda f: draw_image(f, name, picture)
    while slim.ndim > 3:  # the first of several channels
        slim, name = slim[0], name + ", first channel"
    return 3, 3.4, lambda f: draw_volume(f, name, slim)


def scalar_rows(fields):
    """Fields of one value, together in one table: name, type, value."""
    rows = []
    for field in fields:
        value = np.array(field["values"], object).ravel()[0]
        value = math.nan if value is None else value
        if field["classes"] and isinstance(value, int) and 0 <= value < len(field["classes"]):
            rows.append([field["name"], f"{value}: {field['classes'][value]}"])
        else:
            rows.append([field["name"], short(value)])
    return rows


def draw_scalars(figure, rows):
    axes = figure.subplots()
    axes.axis("off")
    table = axes.table(rows, loc="upper center", cellLoc="left")
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    table.scale(1, 1.3)
    for (row, column), cell in table.get_celld().items():
        cell.set_linewidth(0)
        if row % 2 == 0:
            cell.set_facecolor(SHADE)
        if column == 0:
            cell.set_text_props(weight="bold")


def pack(panels):
    """Panels in rows of the page: each goes to the first row that has room for it."""
    rows = []
    for one in panels:
        place = next((row for row in rows if sum(other[0] for other in row) + one[0] <= COLUMNS), None)
        if place is None:
            rows.append(place := [])
        place.append(one)
    return rows


def main(path):
    sample = json.load(sys.stdin)
    single = [field for field in sample["fields"] if math.prod(field["shape"]) == 1]
    panels = [panel(field) for field in sample["fields"] if field not in single]
    if single:
        table = scalar_rows(single)
        panels.append((1, 0.5 + 0.27 * len(table), lambda f: draw_scalars(f, table)))
    rows = pack(panels)
    heights = [max(one[1] for one in row) for row in rows]
    columns = max(sum(one[0] for one in row) for row in rows)
    figure = plt.figure(figsize=(4 * max(columns, 2), sum(heights) + 0.6), layout="constrained")
    figure.suptitle(f"sample {sample['sample']}: row {sample['row']} of {sample['file'].rsplit('/', 1)[-1]}", fontsize=11)
    bands = np.atleast_1d(figure.subfigures(len(rows), 1, height_ratios=heights))
    for band, row in zip(bands, rows):
        widths = [one[0] for one in row]
        left = columns - sum(widths)
        parts = np.atleast_1d(band.subfigures(1, len(row) + (left > 0), width_ratios=widths + [left] * (left > 0)))
        for part, one in zip(parts, row):
            one[2](part)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    matplotlib.rcParams.update({"font.size": 8, "axes.titlesize": 9, "figure.titlesize": 9})
    try:
        main(sys.argv[1])
    except (OSError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
