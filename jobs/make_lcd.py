#!/usr/bin/env python3
"""Writes an HDF5 file in the LCD format: calorimeter showers of four kinds of particles, made up but of the right shape.

    build/venv/bin/python jobs/make_lcd.py lcd.h5 --samples 10000        69 KB a sample

    ECAL    n x 25 x 25 x 25  float32   energy in the cells of the electromagnetic calorimeter
    HCAL    n x 5 x 5 x 60    float32   the same, hadronic
    OneHot  n x 4             float32   class: photon, electron, neutral pion, charged pion
    index   n                 int64     the class as a number
    target  n x 1 x 5         float32   particle code, energy, momentum
"""

import argparse
import pathlib

import h5py
import numpy as np

PARTICLES = (22, 11, 111, 211)  # codes of the four classes
IN_ECAL = (0.97, 0.95, 0.90, 0.35)  # share of its energy that each leaves there
PIECE = 512  # samples made at a time


def shower(cells, spread):
    """The mean share of each cell: a maximum in the middle of the face, a rise and fall in depth."""
    nx, ny, nz = cells
    x, y, z = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in cells), indexing="ij")
    share = np.exp(-((x - nx // 2) ** 2 + (y - ny // 2) ** 2) / spread**2) * (z + 1) ** 2 * np.exp(-8 * z / nz)
    return (share / share.sum()).astype(np.float32)


def make_piece(rng, n):
    kind = rng.integers(0, len(PARTICLES), n)
    energy = rng.uniform(10, 510, n).astype(np.float32)
    in_ecal = energy * np.asarray(IN_ECAL, np.float32)[kind]

    def deposit(profile, total):
        noise = rng.standard_exponential((n, *profile.shape), dtype=np.float32)
        return noise * profile * total[:, None, None, None]

    angles = rng.uniform(-1, 1, (n, 3)).astype(np.float32)
    momentum = angles / np.linalg.norm(angles, axis=1, keepdims=True) * energy[:, None]
    code = np.asarray(PARTICLES, np.float32)[kind]
    return {
        "ECAL": deposit(shower((25, 25, 25), 2.0), in_ecal),
        "HCAL": deposit(shower((5, 5, 60), 1.0), energy - in_ecal),
        "OneHot": np.eye(len(PARTICLES), dtype=np.float32)[kind],
        "index": kind.astype(np.int64),
        "target": np.column_stack([code, energy, momentum])[:, None, :],
    }


def write(path, samples, seed):
    rng = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        for first in range(0, samples, PIECE):
            rows = min(PIECE, samples - first)
            for name, values in make_piece(rng, rows).items():
                if first == 0:
                    file.create_dataset(name, (samples, *values.shape[1:]), values.dtype)
                file[name][first : first + rows] = values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--samples", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.samples < 1:
        parser.error("--samples must be 1 or more")
    write(arguments.file, arguments.samples, arguments.seed)


if __name__ == "__main__":
    main()
