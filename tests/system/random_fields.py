"""Fields drawn at random over files drawn at random, and what NumPy makes of them.

Each drawn field is a section of the configuration and a reference: step by step what docs/reference/fields.md says, on whole arrays.
"""

import h5py
import numpy as np
from random_layouts import Layouts

INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
FLOATS = ["f2", "f4", "f8"]
F4, F8 = np.dtype("f4"), np.dtype("f8")
#: By size, far from zero; a number of float64.
FAR_INTEGERS = {4: 1_500_000_000, 8: 2**62 + 2**20}


def in_order(rng, name):
    """A dtype in one byte order or the other."""
    return np.dtype(name if name in ("i1", "u1", "?") else rng.choice(["<", ">"]) + name)


def native(x):
    return x.astype(x.dtype.newbyteorder("="))


def draw_values(rng, dtype, shape):
    """Values of that type, few of which are beyond what float16 holds: long integers also stand close together far from
    zero, as times and ids do."""
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind == "f":
        return (rng.normal(0, 20, shape) * 2.0 ** rng.integers(-8, 8, shape)).astype(dtype)
    info = np.iinfo(dtype)
    near = rng.integers(max(info.min, -2000), min(info.max, 2000), shape, endpoint=True).astype(dtype)
    if dtype.itemsize < 4 or rng.random() < 0.6:
        return near
    return (near + dtype.type(FAR_INTEGERS[dtype.itemsize])).astype(dtype)


class Column:
    """A column as the file has it: an array with one value for each record of each sample."""

    def __init__(self, name, values):
        self.name, self.values = name, values


class Files:
    """A few files with datasets of every kind."""

    def __init__(self, rng, folder, layouts=None):
        """layouts: a generator of its own, from which how the rows lie in the files is drawn (random_layouts.py)."""
        self.rng, self.layouts = rng, layouts
        parts = rng.integers(1, 4)
        self.lengths = [int(n) for n in rng.integers(5, 40, parts)]
        if parts > 1 and rng.random() < 0.3:
            self.lengths[1] = 0
        self.n = sum(self.lengths)
        self.tracks = tuple(int(n) for n in rng.integers(1, 6, rng.integers(1, 3)))
        self.plain = {f"plain{i}": draw_values(rng, in_order(rng, kind), (self.n, *rng.integers(1, 5, rng.integers(0, 4))))
                      for i, kind in enumerate(rng.permutation(INTEGERS + FLOATS + ["?"]))}
        self.tables = {"jets": self._table((), False), "g/tracks": self._table(self.tracks, True),
                       "hits": self._table(self.tracks, rng.random() < 0.5)}
        self.keep = rng.integers(0, 3, (self.n, *self.tracks)).astype(in_order(rng, rng.choice(INTEGERS)))
        self.lists = {f"list{i}": self._lists(in_order(rng, kind)) for i, kind in
                      enumerate(rng.choice(INTEGERS + FLOATS, 2))}
        self.base = int(rng.integers(-3, 4))
        self.owners, self.rows = self._rows()
        self.paths = [folder / f"r{part}.h5" for part in range(parts)]
        self._write()

    def _table(self, shape, has_valid):
        kinds = self.rng.choice(INTEGERS + FLOATS + ["?"], self.rng.integers(2, 6))
        members = [(f"c{i}", in_order(self.rng, kind)) for i, kind in enumerate(kinds)]
        at = self.rng.integers(0, len(members) + 1)
        members.insert(at, ("junk", "S3"))
        if has_valid:
            members.insert(self.rng.integers(0, len(members) + 1), ("valid", "?"))
        table = np.zeros((self.n, *shape), np.dtype(members, align=bool(self.rng.random() < 0.5)))
        for name, dtype in members:
            values = b"x" if name == "junk" else draw_values(self.rng, np.dtype(dtype), table.shape)
            positive = name != "junk" and np.dtype(dtype).kind != "b" and self.rng.random() < 0.4
            table[name] = np.abs(np.asarray(values, "f8")) / 16 + 1 if positive else values
        if has_valid:  # what is not real is garbage
            for name, dtype in members:
                if np.dtype(dtype).kind == "f":
                    table[name][~table["valid"]] = self.rng.choice([np.nan, np.inf, -np.inf], (~table["valid"]).sum())
        return table

    def _lists(self, dtype):
        rows = np.empty(self.n, object)
        for i in range(self.n):
            rows[i] = draw_values(self.rng, dtype, int(self.rng.integers(0, 7)))
        return rows, dtype

    def _rows(self):
        """Tables whose rows belong to samples: per file the owners, and columns."""
        owners, columns = [], []
        kinds = [in_order(self.rng, kind) for kind in self.rng.choice(INTEGERS + FLOATS, 3)]
        for length in self.lengths:
            rows = int(self.rng.integers(0, 4 * length + 1)) if length else 0
            owners.append(self.rng.integers(0, max(length, 1), rows))
            table = np.zeros(rows, [("a", kinds[0]), ("b", kinds[1])])
            table["a"], table["b"] = (draw_values(self.rng, kind, rows) for kind in kinds[:2])
            columns.append((table, draw_values(self.rng, kinds[2], rows)))
        return owners, columns

    def _write(self):
        first = 0
        for part, (path, length) in enumerate(zip(self.paths, self.lengths)):
            mine = slice(first, first + length)
            first += length
            libver = "earliest" if self.layouts is None or self.layouts.random() < 0.5 else ("v110", "v110")
            with h5py.File(path, "w", libver=libver) as file:
                drawn = Layouts(self.layouts, file, path.parent)
                for name, rows in {**self.plain, **self.tables, "keep": self.keep}.items():
                    if self.layouts is not None:
                        drawn.write(name, rows[mine])
                        continue
                    how = {"chunks": (4, *rows.shape[1:]), "maxshape": (None, *rows.shape[1:])}
                    chunked = self.rng.random() < 0.4
                    if chunked and self.rng.random() < 0.5:
                        how["compression"] = "gzip"
                    file.create_dataset(name, data=rows[mine], **(how if chunked else {}))
                for name, (rows, dtype) in self.lists.items():
                    made = file.create_dataset(name, (length,), h5py.vlen_dtype(dtype))
                    for row, values in enumerate(rows[mine]):
                        made[row] = values
                table, alone = self.rows[part]
                file["rows/table"], file["rows/alone"] = table, alone
                file["rows/id"] = (self.owners[part] + self.base).astype("<i4")


class Drawn:
    """One field: `section` for the configuration; `rows` and, where `mask` names it, `real` as they must arrive."""

    def __init__(self, files, name):
        self.files, self.rng, self.name = files, files.rng, name
        self.section, self.real, self.mask, self.exact = {}, None, None, True
        columns, self.axis = self.one_of([self.of_plain, self.of_tables, self.of_list, self.of_rows])()
        self.work_on(columns)

    def one_of(self, choices):
        return choices[self.rng.integers(len(choices))]

    # -- where the columns come from: (columns, whether there is a column axis)

    def of_plain(self):
        name = str(self.rng.choice(list(self.files.plain)))
        values = self.files.plain[name]
        self.section["source"] = name
        if values.ndim == 1:
            return [Column(name, values)], False
        return [Column(None, values[..., i]) for i in range(values.shape[-1])], True

    def members(self, path, most=3):
        table = self.files.tables[path]
        names = [name for name in table.dtype.names if name not in ("junk", "valid")]
        return [str(name) for name in self.rng.permutation(names)[: self.rng.integers(1, most + 1)]]

    def item(self, path):
        """(text, columns, whether it has a column axis) of one item."""
        names = self.members(path)
        table = self.files.tables[path]
        bracketed = len(names) > 1 or self.rng.random() < 0.5
        return (f"{path}[{', '.join(names)}]" if bracketed else f"{path}.{names[0]}",
                [Column(name, table[name]) for name in names], bracketed)

    def of_tables(self):
        paths = self.one_of([["jets"], ["g/tracks"], ["hits"], ["jets", "g/tracks"], ["g/tracks", "hits"],
                             ["hits", "jets"], ["jets", "g/tracks", "hits"]])
        items = [self.item(path) for path in paths]
        columns = [column for _, some, _ in items for column in some]
        tracks = self.files.tracks if any(path != "jets" for path in paths) else ()
        for column in columns:
            if column.values.ndim == 1 and tracks:
                shape = (self.files.n,) + (1,) * len(tracks)
                column.values = np.broadcast_to(column.values.reshape(shape), (self.files.n, *tracks))
        self.section["source"] = [text for text, _, _ in items] if len(items) > 1 else items[0][0]
        self.valid_of(paths, tracks)
        return columns, len(items) > 1 or items[0][2]

    def valid_of(self, paths, tracks):
        if not tracks:
            return
        if self.rng.random() < 0.3:
            if "valid" not in str(self.files.tables["hits"].dtype.names) and self.rng.random() < 0.5:
                self.section["valid"], self.real = "g/tracks.valid", self.files.tables["g/tracks"]["valid"]
            else:
                self.section["valid"], self.real = "keep", self.files.keep != 0
            garbage = [path for path in paths if "valid" in (self.files.tables[path].dtype.names or ())]
            for path in garbage:  # only what its own member calls real is no garbage
                self.section.pop("valid"), setattr(self, "real", None)
                break
        if self.real is None:
            own = [self.files.tables[path]["valid"] for path in paths if "valid" in self.files.tables[path].dtype.names]
            self.real = np.logical_and.reduce(own) if own else None

    def of_list(self):
        name = str(self.rng.choice(list(self.files.lists)))
        rows, dtype = self.files.lists[name]
        pad = int(self.rng.integers(1, 9))
        longest = max(len(row) for row in rows)
        self.section |= {"source": name, "pad": pad}
        if longest > pad:
            self.section["overlong"] = "truncate"
        values, self.real = np.zeros((len(rows), pad), dtype), np.zeros((len(rows), pad), bool)
        for row, of in enumerate(rows):
            values[row, : len(of)], self.real[row, : len(of)] = of[:pad], True
        return [Column(name, values)], False

    def of_rows(self):
        kind = self.rng.integers(0, 3)
        source = ["rows/alone", "rows/table[b, a]", ["rows/table.a", "rows/alone"]][kind]
        pad = int(self.rng.integers(1, 9))
        self.section |= {"source": source, "join": "rows/id", "join-base": self.files.base, "pad": pad,
                         "overlong": "truncate"}
        parts = []
        for length, owners, (table, alone) in zip(self.files.lengths, self.files.owners, self.files.rows):
            some = [[alone], [table["b"], table["a"]], [table["a"], alone]][kind]
            values = [np.zeros((length, pad), x.dtype) for x in some]
            count = np.zeros(length, int)
            for row, owner in enumerate(owners):
                if count[owner] < pad:
                    for to, of in zip(values, some):
                        to[owner, count[owner]] = of[row]
                    count[owner] += 1
            parts.append((values, np.arange(pad) < count[:, None]))
        self.real = np.concatenate([real for _, real in parts])
        names = [["rows/alone"], ["b", "a"], ["a", "alone"]][kind]
        columns = [Column(name, np.concatenate([values[i] for values, _ in parts])) for i, name in enumerate(names)]
        return columns, kind > 0

    # -- what is done to them

    def work_on(self, columns):
        rng, section = self.rng, self.section
        each = {"scale": None, "shift": None}
        for key in each:
            if rng.random() < 0.4:
                count = len(columns) if rng.random() < 0.5 else 1
                numbers = [float(x) for x in (rng.uniform(0.5, 9, count) * rng.choice([-1, 1], count)).round(2)]
                if key == "shift" and rng.random() < 0.3:
                    numbers = [float(FAR_INTEGERS[rng.choice([4, 8])])] * count
                section[key] = numbers if count > 1 or rng.random() < 0.3 else numbers[0]
                each[key] = numbers * len(columns) if count == 1 else numbers
        squash = rng.random() < 0.15
        if squash:
            section["norm"] = "tanh-log"
        raw = self.draw_raw(columns, squash or each["scale"] or each["shift"])
        logs = self.draw_logs(columns)
        work = [(column, squash and column.name not in raw, column.name in logs,
                 None if column.name in raw else each["shift"] and each["shift"][i],
                 None if column.name in raw else each["scale"] and each["scale"][i])
                for i, column in enumerate(columns)]
        common = np.result_type(*[self.natural(*of) for of in work])
        section["overflow"] = ["truncate", "saturate"]
        if rng.random() < 0.4:
            common = np.dtype(rng.choice(FLOATS + INTEGERS + ["?"]))
            section["dtype"] = {"b": "bool", "f": "float", "i": "int", "u": "uint"}[common.kind] + \
                ("" if common.kind == "b" else str(common.itemsize * 8))
        self.fill = 0
        if self.real is not None and rng.random() < 0.5:
            section["fill"] = self.fill = {"f": -0.5, "i": -1, "u": 1, "b": 1}[common.kind]
        self.finish([self.filled(self.cast(self.compute(*of, common), common)) for of in work])

    def draw_raw(self, columns, computes):
        names = [column.name for column in columns]
        if not computes or None in names or len(set(names)) < len(names) or self.rng.random() < 0.6:
            return []
        self.section["raw"] = [str(name) for name in self.rng.permutation(names)[: self.rng.integers(1, len(names) + 1)]]
        return self.section["raw"]

    def draw_logs(self, columns):
        names = [column.name for column in columns]
        positive = [] if None in names or len(set(names)) < len(names) else [
            column.name for column in columns
            if (column.values[self.real] if self.real is not None else column.values).astype("f8").min(initial=1) > 0]
        if not positive or self.rng.random() < 0.3:
            return []
        self.section["log"] = positive
        return positive

    def natural(self, column, squash, log, shift, scale):
        """The type that the column has by itself."""
        own = column.values.dtype.newbyteorder("=")
        if own.kind == "f" or not (squash or log or shift is not None or scale is not None):
            return own
        return F8 if own.itemsize == 8 else F4

    def compute(self, column, squash, log, shift, scale, to):
        """Steps 3 to 5, in the type in which they are done."""
        values = native(column.values)
        if not (squash or log or shift is not None or scale is not None):
            return values
        own = values.dtype
        wide = own.itemsize == 8 or own.kind in "iu" and own.itemsize == 4 or to == F8 or \
            own.kind != "f" and to.kind in "iu" and to.itemsize >= 4
        x = values.astype(F8 if wide else F4)
        if self.real is not None:
            x = np.where(self.real, x, x.dtype.type(1))
        if log:
            x, self.exact = np.log(x), False
        if squash:
            x, self.exact = x / (np.abs(x) + 2), False
        if own.kind in "iu" and own.itemsize == 8 and shift is not None and not (log or squash):
            x = np.array([float(int(value) - int(np.floor(shift))) for value in values.ravel()]).reshape(x.shape)
            x = (x - (shift - np.floor(shift))) / (1 if scale is None else scale)
        elif shift is not None or scale is not None:
            x = (x - x.dtype.type(0 if shift is None else shift)) / x.dtype.type(1 if scale is None else scale)
        return x

    def cast(self, values, dtype):
        if self.real is not None:
            values = np.where(self.real, values, values.dtype.type(0))
        if dtype.kind in "iu" and values.dtype.kind in "fiu":
            info = np.iinfo(dtype)
            whole = [int(x) for x in values.ravel()]  # truncated; Python's integers do not overflow
            return np.array([min(max(x, info.min), info.max) for x in whole], dtype).reshape(values.shape)
        if dtype == np.dtype("f2"):
            return np.clip(values.astype(F8), -65504, 65504).astype(dtype)
        return values.astype(dtype)

    def filled(self, values):
        return values if self.real is None else np.where(self.real, values, values.dtype.type(self.fill))

    def finish(self, columns):
        self.rows = np.stack(columns, axis=-1) if self.axis else columns[0]
        if self.real is not None and self.rng.random() < 0.5:
            self.mask = self.section["mask"] = f"{self.name} mask"
        if self.rng.random() < 0.15:
            shape = [1, int(np.prod(self.rows.shape[1:]))][:: self.rng.choice([-1, 1])]
            self.section["shape"], self.rows = shape, self.rows.reshape(len(self.rows), *shape)

    def check(self, found, masks):
        said = f"{self.name}: {self.section}"
        assert found.shape == self.rows.shape and found.dtype == self.rows.dtype, said
        if self.exact:
            np.testing.assert_array_equal(found, self.rows, err_msg=said)
        elif self.rows.dtype.kind == "f":
            digits = 2e-3 if self.rows.dtype.itemsize == 2 else 2e-6  # computed in float32, whatever the type
            np.testing.assert_allclose(found, self.rows, digits, digits, err_msg=said)
        else:
            np.testing.assert_allclose(found.astype("f8"), self.rows.astype("f8"), 0, 1, err_msg=said)
        if self.mask:
            np.testing.assert_array_equal(masks[self.mask], self.real, err_msg=said)
