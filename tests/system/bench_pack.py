#!/usr/bin/env python3
"""How fast small files are packed into one: beside the same files opened, read and closed in C, beside that with what was read
written into one file and made sure of (which whoever packs them must do, too), and beside np.load in a loop; and from URLs beside libcurl alone, with the same local server. Medians and spreads of turns taken one after another, on a warm
page cache. Rates are those that `headrace pack` tells (reading, writing and making sure that it is on the disk), and those of
the whole command with its start and the look at the table.

    HEADRACE_BUILD=build/release build/venv/bin/python tests/system/bench_pack.py --files 50000 --turns 5
"""

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
HEADRACE = Path(os.environ["HEADRACE_BUILD"]) / "bin" / "headrace"


def compiled(folder, name, *libraries):
    subprocess.run(["cc", "-O2", "-pthread", "-o", folder / name, HERE / f"{name}.c", *libraries], check=True)
    return folder / name


def make_files(folder, count):
    (folder / "data").mkdir()
    image = np.random.default_rng(1).integers(0, 255, (28, 28)).astype("u1")
    with (folder / "table.csv").open("w") as table:
        table.write("id,target\n")
        for i in range(count):
            np.save(folder / f"data/{i:06}.npy", image)
            table.write(f"{i:06},{i % 10}\n")
    return [folder / f"data/{i:06}.npy" for i in range(count)]


def lines_through(program, lines, number, *more):
    done = subprocess.run([program, str(number), *more], input="\n".join(map(str, lines)), capture_output=True, text=True, check=True)
    return float(done.stdout)


def written_in_c(folder, program, paths, threads):
    output = folder / "out.raw"
    output.unlink(missing_ok=True)
    return lines_through(program, paths, threads, output)


def by_numpy(paths):
    begin = time.perf_counter()
    for path in paths:
        np.load(path)
    return len(paths) / (time.perf_counter() - begin)


def by_headrace(folder, count, path, arguments):
    """Of the rows' way into the file; of the whole command."""
    output = folder / "out.h5"
    output.unlink(missing_ok=True)
    (folder / "x.toml").write_text(f'[inventory]\ncsv = "table.csv"\npath = "{path}"\n[field.image]\nsource = "@file"\n'
                                   '[field.label]\nsource = "@csv.target"\n' + (
                                       f"[fetch]\nconnections = {arguments.connections}\n" if "://" in path else ""))
    begin = time.perf_counter()
    done = subprocess.run([HEADRACE, "pack", "-c", folder / "x.toml", "-o", output, "--threads", str(arguments.threads)],
                          capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    found = re.search(r"wrote .* in ([\d.]+) s \((\d+) files/s", done.stderr + done.stdout)
    if not found:
        raise SystemExit(done.stderr)
    return float(found[2]), count / seconds


@contextlib.contextmanager
def serving(folder, path):
    with subprocess.Popen([compiled(folder, "small_server"), path], stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()


def measure(turns, ways):
    rates = {what: [] for what in ways}
    for _ in range(turns):
        for what, way in ways.items():
            rates[what].append(way())
    for what, several in list(rates.items()):
        if isinstance(several[0], tuple):
            rates[what] = [rate for rate, _ in several]
            rates[f"{what}, whole command"] = [rate for _, rate in several]
    for what, several in rates.items():
        print(f"  {what:34} {statistics.median(several):10.0f} files/s  ({min(several):.0f} .. {max(several):.0f})")
    return {what: statistics.median(several) for what, several in rates.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--connections", type=int, default=16)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_files(folder, arguments.files)
        c_loop, curl_loop = compiled(folder, "open_read_close"), compiled(folder, "curl_loop", "-lcurl")
        print(f"files: {arguments.files} .npy of 28 x 28")
        found = measure(arguments.turns, {
            "open, read, close in C": lambda: lines_through(c_loop, paths, arguments.threads),
            "the same, and written": lambda: written_in_c(folder, c_loop, paths, arguments.threads),
            "headrace pack": lambda: by_headrace(folder, arguments.files, "data/{id}.npy", arguments),
            "np.load": lambda: by_numpy(paths[: arguments.files // 5])})
        print(f"  of C {found['headrace pack'] / found['open, read, close in C']:.2f} (bar 0.8), "
              f"of C that writes what it read {found['headrace pack'] / found['the same, and written']:.2f} "
              f"(which is {found['the same, and written'] / found['open, read, close in C']:.2f} of C), "
              f"of np.load {found['headrace pack'] / found['np.load']:.1f} (bar 8)")
        with serving(folder, paths[0]) as url:
            print(f"URLs: as many, {arguments.connections} connections")
            urls = [f"{url}/{path.name}" for path in paths]
            found = measure(arguments.turns, {
                "libcurl alone": lambda: lines_through(curl_loop, urls, arguments.connections),
                "headrace pack": lambda: by_headrace(folder, arguments.files, url + "/{id}.npy", arguments)})
        print(f"  of libcurl {found['headrace pack'] / found['libcurl alone']:.2f} (bar 0.8); load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    sys.exit(main())
