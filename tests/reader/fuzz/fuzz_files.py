"""Damaged files: mutants FROM to TO of small files of all layouts are described, loaded and inspected. Whatever is wrong
with one of them is told in a sentence that names it; no process dies without that, none hangs, nothing is printed raw.

    build/venv/bin/python tests/reader/fuzz/fuzz_files.py BUILD FROM TO [KEEP]

The same numbers give the same mutants. Those that fail are left in the folder KEEP (or else gone).
"""

import os
import random
import re
import select
import shutil
import subprocess
import sys
import tempfile

import seeds

RAW = ("HDF5-DIAG", "terminate called", "std::", "*** ", "nlohmann", "json.exception", "Assertion", "backtrace", "[json", "basic_string")
LIMIT = 1200  # seconds without an answer: it hangs. A machine that is busy otherwise takes long, too
BATCH = 50  # files of one call of inspect
NUMBERS = (0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**60, 2**63 - 1, 2**64 - 1, 0x7FFFFFFF0000)


def mutated(data, number):
    """Bits, bytes, runs and integers of the file changed, most often near its begin; or its end cut off."""
    chance, data = random.Random(number), bytearray(data)
    kind = chance.choice(["bit", "bit", "byte", "run", "integer", "cut"])
    reach = min(len(data), chance.choice([512, 1024, 2048, 4096, len(data)]))
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8, 20])):
        at = chance.randrange(reach)
        if kind == "bit":
            data[at] ^= 1 << chance.randrange(8)
        elif kind == "byte":
            data[at] = chance.randrange(256)
        elif kind == "integer":
            size = chance.choice([2, 4, 8])
            value = (chance.choice(NUMBERS) % (1 << 8 * size)).to_bytes(size, "little")
            data[at : at + size] = value[: len(data) - at]
        elif kind == "run":
            for i in range(at, min(len(data), at + chance.choice([4, 8, 16, 64]))):
                data[i] = chance.choice([0, 255, chance.randrange(256)])
    return bytes(data[: chance.randrange(1, len(data))] if kind == "cut" else data)


class Trier:
    """try_files, started anew behind a file that ends it."""

    def __init__(self, build, folder):
        self.command = [os.path.join(build, "bin", name) for name in ("try_files", "examine_files")]
        self.folder, self.process = folder, None

    def start(self):
        self.said = tempfile.TemporaryFile(dir=self.folder)
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, cwd=self.folder)

    def ask(self, path):
        """The outcome; "died" and what was said, "hangs"."""
        if self.process is None:
            self.start()
        self.process.stdin.write(path.encode() + b"\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], LIMIT)[0]:
            self.end(kill=True)
            return "hangs"
        answer = self.process.stdout.readline()
        if answer:
            return answer.decode().rstrip("\n")
        return "died " + self.end(kill=False)

    def end(self, kill):
        if self.process is None:
            return ""
        self.process.kill() if kill else self.process.stdin.close()
        code = self.process.wait()
        self.process = None
        self.said.seek(0)
        return f"{code}: {self.said.read().decode(errors='replace')}"


def wrong(outcome, path):
    """What is wrong with an outcome; None: nothing."""
    kind = outcome.split(" ", 1)[0]
    if kind in ("ok", "large"):
        return None
    if kind == "died":  # as the handler tells it
        named = re.search(r"crashed \(SIG\w+.* while it read .*" + re.escape(path), outcome)
        return None if named and outcome.count("\n") <= 2 and not raw(outcome) else outcome
    if kind == "error" and not raw(outcome) and (path in outcome or "no dataset" in outcome or "nothing" in outcome):
        return None
    return outcome


def raw(text):
    return any(word in text for word in RAW) or bool(re.search(r"[^\n\t -\U0010ffff]", text)) or "\x7f" in text


def inspect(build, arguments):
    """What is wrong with what inspect says; None: nothing."""
    done = subprocess.run([os.path.join(build, "bin", "headrace"), "inspect", *arguments], capture_output=True, timeout=LIMIT)
    text = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode in (0, 1, 2) and not raw(text):
        return None
    return f"inspect {' '.join(arguments)}: exit code {done.returncode}: {text[-400:]}"


def main(build, first, last, keep):
    counts, failures = {}, []
    with tempfile.TemporaryDirectory() as folder:
        names = seeds.make(folder)
        originals = [open(os.path.join(folder, name), "rb").read() for name in names]
        trier, good = Trier(build, folder), []

        def fails(path, why):
            failures.append(why)
            print(f"{os.path.basename(path)}: {why}", flush=True)
            if keep:
                os.makedirs(keep, exist_ok=True)
                shutil.copy(path, keep)

        def inspect_them():
            if good and (why := inspect(build, good)):
                for path in good:
                    if alone := inspect(build, [path]):
                        fails(path, alone)
                fails(good[0], why)
            for path in good[:: 1 if keep else 10]:
                if why := inspect(build, [f"--files={path}", "--sample=0"]):
                    fails(path, why)
            for path in good:
                os.unlink(path)
            good.clear()

        for number in range(first, last):
            which = number % len(names)
            path = os.path.join(folder, f"m{number}-{names[which]}")
            with open(path, "wb") as file:
                file.write(mutated(originals[which], number))
            outcome = trier.ask(path)
            kind = outcome.split(" ", 1)[0]
            if kind == "error" and "HDF5 crashes on" in outcome:
                kind = "error: HDF5 crashes"
            counts[kind] = counts.get(kind, 0) + 1
            if why := wrong(outcome, path):
                fails(path, why)
            if kind in ("ok", "large"):
                good.append(path)
            else:
                os.unlink(path)
            if len(good) == BATCH:
                inspect_them()
        inspect_them()
        trier.end(kill=False)
    print(f"{last - first} damaged files: {counts}; {len(failures)} wrong")
    return 1 if failures or not counts.get("ok") else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None))
