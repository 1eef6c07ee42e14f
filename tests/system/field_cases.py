"""Fields of every kind, of the files that field_files writes, and their references in NumPy."""

import json
import os
from pathlib import Path

import numpy as np
from field_files import FLAVOUR, LENGTHS, PARTICLES, SAMPLES, TRACKS, write

PLUGIN = Path(os.environ["HEADRACE_BUILD"]) / "lib" / "example_plugin.so"
PAD = 12

NESTED = {  # as Umami writes it, with much that is not asked for
    "jets": {"pt": {"shift": 100.5, "scale": 33.3, "default": 50}, "eta": {"mean": 0.25, "std": 1.5},
             "mass": {"min": 40, "max": 130, "mean": 1, "std": 2}, "q": {"mean": 0.5, "std": 2, "default": -1.5},
             "unused": {"scale": 0}},
    "tracks": {"d0": {"shift": 3, "scale": 40, "default": 0}, "z0": {"shift": 0.1, "scale": 0.3},
               "charge": {"scale": 2, "default": 1}},
    "comment": "of the training sample",
}
FLAT = """
pt: {shift: 7, scale: 3}
eta:
  mean: 0.5
  std: 2
image: {mean: 3, std: 41, min: -200, max: 300}
whole: {min: -700, max: 700}
"""
F4, F8 = np.float32, np.float64

CASES = {}  # field -> (section, reference, units in the last place)
MASKS = {}  # mask field -> reference


def case(name, ulp=0, mask=None, **section):
    """The reference of a field: takes what the files hold, returns all rows."""
    section = {key.replace("_", "-"): value for key, value in section.items()}
    if mask:
        section["mask"] = f"{name} mask"

    def add(reference):
        CASES[name] = (section, reference, ulp)
        if mask:
            MASKS[section["mask"]] = mask
        return reference

    return add


def same(name, source, get, **section):
    case(name, source=source, **section)(get)


def scaled(x, shift, scale):
    return (x - x.dtype.type(shift)) / x.dtype.type(scale)


def native(x):
    return x.astype(x.dtype.newbyteorder("="))


def columns(*parts):
    return np.stack(parts, axis=-1)


def zeroed(values, valid):
    """Invalid elements, whatever garbage they hold."""
    return np.where(valid.reshape(valid.shape + (1,) * (values.ndim - valid.ndim)), values, values.dtype.type(0))


def valid(d):
    return d["tracks"]["valid"]


# -- sources -----------------------------------------------------------------------------------------------------------

for dataset in ("x", "image", "big", "short", "byte", "long", "half", "flag", "keep"):
    same(f"plain {dataset}", dataset, lambda d, name=dataset: native(d[name]))
same("member", "jets.eta", lambda d: native(d["jets"]["eta"]))
same("one column", "jets[mass]", lambda d: d["jets"]["mass"][:, None])
same("two columns", "jets[pt, eta]", lambda d: columns(d["jets"]["pt"], d["jets"]["eta"]).astype(F4))
same("columns of two types", "jets[pt,n]", lambda d: columns(d["jets"]["pt"], d["jets"]["n"]).astype(F8))
same("array member", "jets.cov", lambda d: d["jets"]["cov"].reshape(SAMPLES, 4))
same("nested in a group", "group/plain.p", lambda d: d["group/plain"]["p"])
same("member bool", "group/plain.good", lambda d: d["group/plain"]["good"])
same("several", ["x", "jets[n]", "vector"], lambda d: np.column_stack([d["x"], d["jets"]["n"], d["vector"]]).astype(F8))
same("small integers", ["byte", "label"], lambda d: columns(d["byte"], d["label"]).astype("i2"))
same("half and short", ["half", "short"], lambda d: np.column_stack([d["half"], d["short"]]).astype(F4))
same("unsigned and signed", ["byte", "particle"], lambda d: columns(d["byte"], d["particle"]).astype("i2"))
same("unsigned and signed of 32 bits", ["natural", "jets.n"],
     lambda d: columns(d["natural"], d["jets"]["n"]).astype("i8"))
same("unsigned and signed of 64 bits", ["vast", "long"], lambda d: columns(d["vast"].astype(F8), d["long"].astype(F8)))
same("half and byte", ["half", "tiny"], lambda d: np.column_stack([d["half"], d["tiny"]]).astype("f2"))
same("bool and byte", ["flag", "tiny"], lambda d: np.column_stack([d["flag"], d["tiny"]]).astype("i1"))
same("float and short", ["x", "short"], lambda d: np.column_stack([d["x"], d["short"]]).astype(F4))
same("channel last", "image", lambda d: d["image"][..., None], shape=[4, 5, 1])
same("channel first", "image", lambda d: d["image"].reshape(SAMPLES, 1, 2, 10), shape=[1, 2, 10])

# -- scales ------------------------------------------------------------------------------------------------------------

case("scalar", source="image", scale=150)(lambda d: d["image"] / F4(150))
case("shift alone", source="x", shift=-2.75)(lambda d: d["x"] + F4(2.75))
case("per column", source="vector", shift=[1, 2, 3], scale=[0.1, 7, -3])(
    lambda d: (d["vector"] - F4([1, 2, 3])) / F4([0.1, 7, -3]))
case("per column of 64 bits", source="big", shift=[1, 0, 3], scale=[0.1, 1e-3, 3])(
    lambda d: (native(d["big"]) - F8([1, 0, 3])) / F8([0.1, 1e-3, 3]))
case("scaled integers", source="short", scale=7)(lambda d: d["short"].astype(F4) / F4(7))
case("scaled long", source="long", scale=3, shift=1)(lambda d: (d["long"] - 1).astype(F8) / 3)
case("scaled half", source="half", scale=3)(lambda d: (d["half"].astype(F4) / F4(3)).astype("f2"))


@case("nested file", source="jets[pt, eta]", scale_file="nested.json")
def _(d):
    return columns(scaled(d["jets"]["pt"], 100.5, 33.3), scaled(d["jets"]["eta"].astype(F4), 0.25, 1.5))


@case("flat file", source="jets[eta, pt]", scale_file="flat.yaml")
def _(d):
    return columns(scaled(d["jets"]["eta"].astype(F4), 0.5, 2), scaled(d["jets"]["pt"], 7, 3))


case("standard", source="jets.mass", scale_file="nested.json", norm="standard")(
    lambda d: scaled(d["jets"]["mass"], 1, 2))
case("minmax", source="jets.mass", scale_file="nested.json", norm="minmax")(lambda d: scaled(d["jets"]["mass"], 40, 90))
case("minmax of an image", source="image", scale_file="flat.yaml", norm="minmax")(
    lambda d: scaled(d["image"], -200, 500))
case("whole", source="vector", scale_file="flat.yaml", norm="minmax", norm_over="field")(
    lambda d: scaled(d["vector"], -700, 1400))


@case("tanh-log", ulp=1, source="image", norm="tanh-log")
def _(d):
    x = d["image"].astype(F8)
    return np.tanh(np.sign(x) * np.log1p(np.abs(x)) / 2).astype(F4)


@case("log and raw", ulp=1, source="jets[pt, n, mass]", log=["pt"], raw=["n"], shift=[1, 2, 3], scale=[4, 5, 6],
      dtype="float64")
def _(d):
    pt = scaled(np.log(d["jets"]["pt"].astype(F8)), 1, 4)
    return columns(pt, d["jets"]["n"].astype(F8), scaled(d["jets"]["mass"], 3, 6))


# -- NaN and infinities ------------------------------------------------------------------------------------------------


def replaced(q, value):
    return np.where(np.isfinite(q), q, F4(value))


same("kept", "jets.q", lambda d: d["jets"]["q"])
case("kept through a scale", source="jets.q", scale=2, nonfinite="keep")(lambda d: d["jets"]["q"] / F4(2))
case("a number for them", source="jets.q", nonfinite=3.25, scale=2)(lambda d: replaced(d["jets"]["q"], 3.25) / F4(2))
case("their default", source="jets.q", nonfinite="default", scale_file="nested.json")(
    lambda d: scaled(replaced(d["jets"]["q"], -1.5), 0.5, 2))
case("kept in half", source="jets.q", nonfinite="keep", dtype="float16")(lambda d: d["jets"]["q"].astype("f2"))

# -- types -------------------------------------------------------------------------------------------------------------

for kind in ("float16", "float32", "float64"):
    case(f"to {kind}", source="vector", dtype=kind)(lambda d, kind=kind: d["vector"].astype(kind))
for kind in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
    info = np.iinfo(kind)
    case(f"long to {kind}", source="long", dtype=kind, overflow="saturate")(
        lambda d, info=info: np.clip(d["long"], info.min, min(info.max, 2**63 - 1)).astype(info.dtype))
case("bool of numbers", source="keep", dtype="bool")(lambda d: d["keep"] != 0)
case("saturated half", source="jets.n", dtype="float16", overflow="saturate")(
    lambda d: np.clip(d["jets"]["n"], -65504, 65504).astype("f2"))
case("scaled to bytes", source="vector", scale=0.1, dtype="int8", overflow=["truncate", "saturate"])(
    lambda d: np.clip(d["vector"] / F4(0.1), -128, 127).astype("i1"))


@case("bfloat16", source="vector", dtype="bfloat16")
def _(d):
    bits = d["vector"].view("u4").astype("u8")
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("u2")  # to the nearest, ties to even


# -- labels ------------------------------------------------------------------------------------------------------------

FLAVOURS = [f"{name}:{code}" for name, code in FLAVOUR.items()]


def codes(values, order):
    return np.array([order.index(value) for value in values.tolist()])


case("one-hot", source="jets.flavour", encode="one-hot", classes=FLAVOURS)(
    lambda d: np.eye(4, dtype=F4)[codes(d["jets"]["flavour"], [0, 4, 5, 15])])
case("classes of two values", source="jets.flavour", encode="index", classes=["heavy:5|4", "rest:0|15"])(
    lambda d: np.isin(d["jets"]["flavour"], (0, 15)).astype("i8"))
case("index of integers", source="label", encode="index")(lambda d: codes(d["label"], [-3, 0, 4, 100]))
case("one-hot of integers in bytes", source="label", encode="one-hot", dtype="uint8")(
    lambda d: np.eye(4, dtype="u1")[codes(d["label"], [-3, 0, 4, 100])])
case("index of fixed texts", source="jets.kind", encode="index")(
    lambda d: codes(d["jets"]["kind"], [b"b", b"c", b"light", b"sixsix"]))
case("index of texts", source="words", encode="index", dtype="int32")(
    lambda d: codes(d["words"], ["", "b", "käse", "much longer than the others"]).astype("i4"))
case("one-hot of fixed texts", source="jets.kind", encode="one-hot", classes=["light:light|sixsix", "b", "c"])(
    lambda d: np.eye(3, dtype=F4)[codes(d["jets"]["kind"], [b"light", b"b", b"c", b"sixsix"]) % 3])
case("one-hot of texts", source="words", encode="one-hot")(
    lambda d: np.eye(4, dtype=F4)[codes(d["words"], ["", "b", "käse", "much longer than the others"])])
case("one-hot of an enum", source="particle", encode="one-hot")(
    lambda d: np.eye(3, dtype=F4)[codes(d["particle"], sorted(PARTICLES.values()))])
case("labels of an attribute", source="labels", encode="index")(lambda d: d["labels"].astype("i8"))
case("one-hot of tracks", source="labels", encode="one-hot", classes=["a:2", "b:0|1"])(
    lambda d: np.eye(2, dtype=F4)[(d["labels"] != 2).astype(int)])
same("sparse labels", "label", lambda d: native(d["label"]))

# -- masks -------------------------------------------------------------------------------------------------------------


@case("tracks", mask=valid, source="tracks[d0, z0, hits]", dtype="float32")
def _(d):
    t = d["tracks"]
    return zeroed(columns(t["d0"], t["z0"].astype(F4), t["hits"]).astype(F4), valid(d))


case("tracks without mask", source="tracks.d0", scale=3)(lambda d: zeroed(d["tracks"]["d0"] / F4(3), valid(d)))


@case("scaled tracks", mask=valid, source="tracks[d0,charge]", scale_file="nested.json", dtype="float16",
      nonfinite="default")
def _(d):
    values = columns(scaled(d["tracks"]["d0"], 3, 40), d["tracks"]["charge"] / F4(2))
    return zeroed(values, valid(d)).astype("f2")


@case("records along two axes", mask=lambda d: d["grid"]["valid"], source="grid[e, t]", scale=[2, 7])
def _(d):
    grid = d["grid"]
    return zeroed(columns(grid["e"] / F4(2), grid["t"].astype(F4) / F4(7)), grid["valid"])


case("valid of another compound", mask=lambda d: d["group/plain"]["good"], source="tracks.hits",
     valid="group/plain.good")(
    lambda d: zeroed(d["tracks"]["hits"], d["group/plain"]["good"]))
case("valid of a dataset", mask=lambda d: d["keep"] != 0, source="group/plain[p]", valid="keep", scale=7)(
    lambda d: zeroed(d["group/plain"]["p"] / F4(7), d["keep"] != 0)[..., None])
case("valid of a plain field", mask=valid, source="labels", valid="tracks.valid")(
    lambda d: zeroed(d["labels"], valid(d)))
case("labels where valid", source="labels", encode="index", valid="tracks.valid")(
    lambda d: zeroed(d["labels"].astype("i8"), valid(d)))


@case("jets beside tracks", mask=valid, source=["jets[pt,eta]", "tracks[d0,z0]"], scale_file="nested.json")
def _(d):
    jets, tracks = d["jets"], d["tracks"]  # float64, as z0 is: computed in it
    pt, eta = scaled(jets["pt"].astype(F8), 100.5, 33.3), scaled(jets["eta"].astype(F8), 0.25, 1.5)
    repeated = np.repeat(columns(pt, eta)[:, None], TRACKS, axis=1)
    own = columns(scaled(tracks["d0"].astype(F8), 3, 40), scaled(tracks["z0"].astype(F8), 0.1, 0.3))
    return zeroed(np.concatenate([repeated, own], axis=-1), valid(d))


case("a plain one beside tracks", mask=valid, source=["tracks.d0", "labels"], dtype="float32")(
    lambda d: zeroed(columns(d["tracks"]["d0"], d["labels"]).astype(F4), valid(d)))


@case("two compounds", mask=lambda d: valid(d), source=["tracks[d0]", "group/plain[p]"])
def _(d):
    return zeroed(columns(d["tracks"]["d0"], d["group/plain"]["p"]), valid(d))


@case("jets by a dataset's validity", source=["jets[pt]", "group/plain[p]"], valid="keep",
      mask=lambda d: d["keep"] != 0)
def _(d):
    pt = np.repeat(d["jets"]["pt"][:, None], TRACKS, axis=1)
    return zeroed(columns(pt, d["group/plain"]["p"]), d["keep"] != 0)


case("absent beside tracks", source="tracks[charge, weight]", missing=3)(
    lambda d: zeroed(columns(d["tracks"]["charge"], np.full_like(d["tracks"]["charge"], 3)), valid(d)))


# -- ragged rows, absent columns, CF, plugins --------------------------------------------------------------------------


def padded(d, width, dtype="f4"):
    rows = np.zeros((SAMPLES, width), dtype)
    for row, values in zip(rows, d["ragged"]):
        row[: len(values)] = values[:width].astype("i2") if dtype != "f4" else values[:width]
    return rows


def lengths(width):
    return lambda d: np.arange(width) < np.array([len(values) for values in d["ragged"]])[:, None]


case("ragged", mask=lengths(8), source="ragged", pad=8)(lambda d: padded(d, 8))
case("ragged scaled", source="ragged", pad=10, shift=1, scale=3)(
    lambda d: zeroed(scaled(padded(d, 10), 1, 3), lengths(10)(d)))
case("ragged cut", mask=lengths(3), source="ragged_big", pad=3, overlong="truncate")(lambda d: padded(d, 3, "i2"))
same("absent member", "jets.weight", lambda d: np.ones(SAMPLES, F4), missing=1)
same("absent dataset", "nowhere", lambda d: np.full(SAMPLES, 2.5, F4), missing=2.5)
same("absent beside present", "jets[pt, weight, n]", missing=-1,
     get=lambda d: columns(d["jets"]["pt"], np.full(SAMPLES, -1), d["jets"]["n"]).astype(F8))
same("present all the same", "jets.pt", lambda d: d["jets"]["pt"], missing=1)


def unpacked(d):
    return np.where(d["packed"] == -999, F4(np.nan), d["packed"].astype(F4) * F4(0.25) + F4(10))


case("packed", source="packed", cf="off")(lambda d: d["packed"])
case("unpacked", source="packed", cf="on")(unpacked)
case("unpacked and scaled", source="packed", cf="on", nonfinite=0, scale=2)(
    lambda d: np.where(np.isnan(unpacked(d)), F4(0), unpacked(d)) / F4(2))


@case("plugin", source="tracks[hits, charge]", plugin=PLUGIN, plugin_args="power=3", scale=[1, 2], mask=valid)
def _(d):
    hits, charge = (zeroed(d["tracks"][name], valid(d)).astype(F4) for name in ("hits", "charge"))
    return zeroed(columns(hits * hits * hits, (charge + hits.sum(axis=1, keepdims=True)) / F4(2)), valid(d))


# -- joins -------------------------------------------------------------------------------------------------------------


def joined(d, get, width):
    """Rows of a table by sample, in table order, and which are real."""
    first, rows, real = 0, None, np.zeros((SAMPLES, width), bool)
    for samples, (table, ids, charge) in zip(LENGTHS, d["tables"]):
        values = get(table, charge)
        if rows is None:
            rows = np.zeros((SAMPLES, width, *values.shape[1:]), values.dtype)
        for value, number in zip(values, ids):
            place = real[first + number - 1].sum()
            if place < width:
                rows[first + number - 1, place], real[first + number - 1, place] = value, True
        first += samples
    return rows, real


def xyzd(table, charge):
    return columns(table["x"], table["y"], table["z"], table["d"]).astype(F8)


JOIN = {"join": "table/hid", "pad": PAD}
case("joined", **JOIN, mask=lambda d: joined(d, xyzd, PAD)[1], source="table/particles[x,y,z,d]")(
    lambda d: joined(d, xyzd, PAD)[0])


@case("joined and scaled", **JOIN, source=["table/particles[x, d]", "table/charge"], shift=[1, 2, 3], scale=[4, 5, 6],
      dtype="float32")
def _(d):
    def get(table, charge):
        return (columns(table["x"], table["d"], charge).astype(F4) - F4([1, 2, 3])) / F4([4, 5, 6])

    return joined(d, get, PAD)[0]


case("joined and cut", join="table/hid", pad=2, overlong="truncate", mask=lambda d: joined(d, xyzd, 2)[1],
     source="table/charge")(lambda d: joined(d, lambda _, charge: charge, 2)[0])
case("joined by ids from -3", **{**JOIN, "join": "table/from_minus_3"}, join_base=-3, source="table/charge")(
    lambda d: joined(d, lambda _, charge: charge, PAD)[0])
case("joined labels", **JOIN, source="table/particles.d", dtype="float16", nonfinite="error")(
    lambda d: joined(d, lambda t, _: t["d"].astype("f2"), PAD)[0])


case("joined and filled", **JOIN, source="table/particles[d]", fill=-1, mask=lambda d: joined(d, xyzd, PAD)[1])(
    lambda d: np.where(joined(d, xyzd, PAD)[1], joined(d, lambda t, _: t["d"], PAD)[0], -1)[..., None])


@case("joined beside absent", **JOIN, source="table/particles[d, weight]", missing=1)
def _(d):
    return joined(d, lambda t, _: columns(t["d"], np.ones_like(t["d"])), PAD)[0]


def prepare(folder):
    """Writes files and scale files. Returns folder, paths and what they hold."""
    (folder / "nested.json").write_text(json.dumps(NESTED))
    (folder / "flat.yaml").write_text(FLAT)
    return folder, *write(folder)
