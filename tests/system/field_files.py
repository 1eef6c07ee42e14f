"""Files with everything that fields are made of, written by h5py; and what arrives of them, by sample number."""

import json
import re

import h5py
import headrace
import numpy as np
from service import running

LENGTHS = (37, 0, 54)
SAMPLES = sum(LENGTHS)
TRACKS = 6

JETS = np.dtype([("pt", "<f4"), ("eta", ">f4"), ("n", "<i4"), ("mass", "<f8"), ("flavour", "<i4"), ("kind", "S6"),
                 ("q", "<f4"), ("cov", "<f4", (2, 2))])
TRACK = np.dtype([("d0", "<f4"), ("z0", ">f8"), ("hits", "u1"), ("charge", "i1"), ("valid", "?")])
FLAVOUR = {"light": 0, "charm": 4, "bottom": 5, "tau": 15}
PARTICLES = {"photon": 2, "electron": 7, "pion": 1}


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value if isinstance(value, (int, float)) else str(value), ensure_ascii=False)


def configuration(path, fields, **keys):
    """Writes a configuration: top-level keys, then a section per field."""
    lines = [f"{key.replace('_', '-')} = {toml(value)}" for key, value in keys.items()]
    for name, section in fields.items():
        lines += ["", f"[field.{json.dumps(name)}]"] + [f"{key} = {toml(value)}" for key, value in section.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


def deliver(folder, files, fields, stagers=None, split_nodes=False, stream="train", **keys):
    """What one trainer gets in an epoch: ({field: rows by sample number}, sample numbers in order, schema).

    Rows of samples that do not come are absent: the arrays have one row for each number.
    """
    keys = {"batch": 8, "last": "partial", "epochs": 1, **keys}
    config = configuration(folder / "fields.toml", fields, files=files, **keys)
    with running(folder, (), stagers, config=config, split_nodes=split_nodes, audit="full") as service:
        return fetch(service, stream)


def fetch(service, stream="train"):
    with headrace.connect(str(service), stream=stream, rank=0, world_size=1, timeout=300, progress=False) as source:
        schema, numbers, parts = source.schema, [], {name: [] for name in source.schema}
        for batch in source:
            numbers.append(batch.index[: batch.rows].copy())
            for name in parts:
                parts[name].append(batch[name][: batch.rows].copy())
            batch.release()
    order = np.argsort(np.concatenate(numbers), kind="stable")
    return {name: np.concatenate(rows)[order] for name, rows in parts.items()}, np.concatenate(numbers)[order], schema


def refusal(folder, files, fields, stagers=None, **keys):
    """What a service says that must not begin, without mpirun's own words."""
    config = configuration(folder / "fields.toml", fields, files=files, **{"batch": 8, **keys})
    with running(folder, (), stagers, listens=False, config=config) as service:
        assert service.wait() in (1, 2), service.text
        return "\n".join(line for line in service.text.splitlines() if re.match(r"headrace:|  (\[|dataset|stream)", line))


def make_samples():
    """{dataset: all rows}, whatever the file."""
    rng = np.random.default_rng(7)
    n = SAMPLES

    def floats(*shape):
        return rng.normal(3, 40, shape).astype("f4")

    jets = np.zeros(n, JETS)
    jets["pt"], jets["eta"], jets["mass"] = rng.uniform(1, 500, n), rng.uniform(-2.5, 2.5, n), rng.normal(90, 9, n)
    jets["n"] = rng.integers(-(2**30), 2**30, n)
    jets["flavour"] = rng.choice(list(FLAVOUR.values()), n)
    jets["kind"] = rng.choice([b"b", b"c", b"light", b"sixsix"], n)
    jets["q"] = rng.normal(0, 2, n)
    jets["q"][::5], jets["q"][1::7], jets["q"][2::11] = np.nan, np.inf, -np.inf
    jets["cov"] = floats(n, 2, 2)
    tracks = np.zeros((n, TRACKS), TRACK)
    tracks["valid"] = rng.random((n, TRACKS)) < 0.6
    tracks["d0"], tracks["z0"] = floats(n, TRACKS), rng.normal(0, 1, (n, TRACKS))
    tracks["hits"], tracks["charge"] = rng.integers(1, 255, (n, TRACKS)), rng.choice([-1, 1], (n, TRACKS))
    garbage = ~tracks["valid"]
    tracks["d0"][garbage] = rng.choice(np.array([np.nan, np.inf, -1e38], "f4"), garbage.sum())
    tracks["z0"][garbage] = np.nan
    plain = np.zeros((n, TRACKS), [("p", "<f4"), ("good", "?")])
    plain["p"], plain["good"] = floats(n, TRACKS), rng.random((n, TRACKS)) < 0.5
    packed = rng.integers(-900, 900, (n, 3)).astype("<i2")
    packed[::4, 1] = -999
    return {
        "jets": jets,
        "tracks": tracks,
        "group/plain": plain,
        "keep": (rng.random((n, TRACKS)) < 0.5).astype("u1") * 3,
        "x": floats(n),
        "image": floats(n, 4, 5),
        "vector": floats(n, 3),
        "big": rng.normal(0, 1e3, (n, 3)).astype(">f8"),
        "short": rng.integers(-32768, 32767, (n, 4)).astype(">i2"),
        "byte": rng.integers(0, 255, n).astype("u1"),
        "long": rng.integers(-(2**62), 2**62, n),
        "half": rng.normal(0, 1, (n, 2)).astype(">f2"),
        "flag": rng.random((n, 2)) < 0.5,
        "packed": packed,
        "label": rng.choice([-3, 0, 4, 100], n).astype(">i2"),
        "labels": rng.integers(0, 3, (n, TRACKS)).astype("u1"),
        "grid": make_grid(rng, n),
        "natural": rng.integers(0, 2**32, n).astype(">u4"),
        "vast": rng.integers(0, 2**64, n, dtype="u8"),
        "tiny": rng.integers(-128, 128, n).astype("i1"),
    }


def make_grid(rng, n):
    """Records along two axes, a third of them not valid."""
    grid = np.zeros((n, 2, 3), [("e", "<f4"), ("valid", "?"), ("t", ">i2")])
    grid["valid"] = rng.random(grid.shape) < 0.67
    grid["e"], grid["t"] = np.where(grid["valid"], rng.normal(3, 40, grid.shape), np.nan), rng.integers(-99, 99, grid.shape)
    return grid


def make_ragged():
    rng = np.random.default_rng(8)
    lengths = rng.integers(0, 9, SAMPLES)
    lengths[:2] = 0, 8
    return [rng.normal(0, 5, length).astype("f4") for length in lengths]


TABLE = np.dtype([("x", "<f4"), ("y", ">f4"), ("z", "<f8"), ("d", "<i2")])


def make_tables():
    """Per file (table, hid counted from 1, plain column): rows of each sample in no order, some have none."""
    rng = np.random.default_rng(9)
    tables = []
    for samples in LENGTHS:
        rows = samples * 3
        table = np.zeros(rows, TABLE)
        for name in TABLE.names:
            table[name] = rng.normal(0, 50, rows)
        ids = rng.integers(1, samples + 1, rows) if samples else np.zeros(0, "i8")
        tables.append((table, ids, rng.normal(0, 1, rows).astype("f4")))
    return tables


def write(folder):
    """Paths of the files, and what they hold."""
    samples, ragged, tables = make_samples(), make_ragged(), make_tables()
    words = np.array(["käse", "b", "", "much longer than the others"], object)[np.arange(SAMPLES) * 7 % 4]
    particles = np.array(list(PARTICLES.values()), "i1")[np.arange(SAMPLES) * 5 % 3]
    paths, first = [], 0
    for part, length in enumerate(LENGTHS):
        paths.append(folder / f"part{part}.h5")
        mine = slice(first, first + length)
        with h5py.File(paths[-1], "w") as file:
            for name, rows in samples.items():
                chunks = {"chunks": (7, *rows.shape[1:]), "compression": "gzip"} if name in ("tracks", "short") else {}
                longest = (None, *rows.shape[1:]) if chunks else None
                file.create_dataset(name, data=rows[mine], maxshape=longest, **chunks)
            packing = {"scale_factor": np.float32(0.25), "add_offset": np.float32(10), "_FillValue": np.int16(-999)}
            file["packed"].attrs.update(packing)
            file["labels"].attrs["label_classes"] = ["up", "down", "strange"]
            file.create_dataset("words", data=words[mine], dtype=h5py.string_dtype())
            file.create_dataset("particle", data=particles[mine], dtype=h5py.enum_dtype(PARTICLES, "i1"))
            ragged_set = file.create_dataset("ragged", (length,), h5py.vlen_dtype("<f4"))
            counts_set = file.create_dataset("ragged_big", (length,), h5py.vlen_dtype(">i2"))
            for row, values in enumerate(ragged[mine]):
                ragged_set[row], counts_set[row] = values, values.astype("i2")
            table, hid, charge = tables[part]
            file["table/particles"], file["table/hid"], file["table/charge"] = table, hid.astype(">i4"), charge
            file["table/from_minus_3"] = (hid - 4).astype("i2")
        first += length
    return paths, {**samples, "ragged": ragged, "words": words, "particle": particles, "tables": tables}
