"""A file for bench_filters: make_filtered.py FILE [MIB]: detector-like float32 rows of 64 KiB in chunks of 1 MiB, in each filter."""

import sys

import h5py
import hdf5plugin
import numpy as np

FILTERS = {"lz4": hdf5plugin.LZ4(), "zstd": hdf5plugin.Zstd(), "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
           "bitshuffle_lz4": hdf5plugin.Bitshuffle(cname="lz4"), "bitshuffle_zstd": hdf5plugin.Bitshuffle(cname="zstd"),
           "blosc_lz4": hdf5plugin.Blosc(cname="lz4"), "lzf": dict(compression="lzf"), "gzip": dict(compression="gzip")}


def main():
    path, mib = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 256
    rng = np.random.default_rng(1)
    rows = np.where(rng.random((16, 64, 256)) < 0.3, np.round(rng.exponential(3, (16, 64, 256)), 2), 0).astype("f4")
    with h5py.File(path, "w") as file:
        for name, how in FILTERS.items():
            made = file.create_dataset(name, (16 * mib, 64, 256), "f4", chunks=(16, 64, 256), **how)
            for k in range(8):  # some that differ, then the same again as they are stored
                made[16 * k:16 * (k + 1)] = rows * (1 + k / 8)
            file.flush()
            stored = [made.id.read_direct_chunk((16 * k, 0, 0)) for k in range(8)]
            for k in range(8, mib):
                made.id.write_direct_chunk((16 * k, 0, 0), stored[k % 8][1], filter_mask=stored[k % 8][0])


if __name__ == "__main__":
    main()
