#!/usr/bin/env python3
"""Batches into GPU memory: what the loader reaches of a plain pinned copy, and whether every batch is right there.

    measure_gpu.py FILE.h5 FIELD [--batch 256] [--slots 8] [--seconds 5]

Needs PyTorch and one GPU; says so, and ends with code 77, where there is none. Rows:

    limit      PyTorch's own pinned buffer, the same bytes again and again
    pageable   torch.from_numpy(view).to("cuda"), which returns when the view is read
    loader     headrace.torch.Loader(device="cuda"): ring page-locked, stream of its own, an event per batch
    unpinned   the same with pin=False
    trap       ring page-locked, .to("cuda", non_blocking=True), view dropped: what the loader makes impossible. Must be
               wrong here, which shows that the check can see it; done with the client's inner parts

Checks compare a checksum of each batch, taken on the GPU, with that of the same sample numbers taken before on the CPU.
"""

import argparse
import sys
import time

import headrace
import numpy as np

NO_GPU = 77


def checksum(array):
    """Of every row: a sum of its bytes as integers, on the CPU or on the GPU alike."""
    import torch

    rows = torch.from_numpy(array) if isinstance(array, np.ndarray) else array
    return rows.contiguous().view(torch.uint8).reshape(len(rows), -1).to(torch.int64).sum(1)


class Measurement:
    def __init__(self, stream, field, seconds):
        import torch

        self.torch, self.stream, self.field, self.seconds = torch, stream, field, seconds
        spec = stream.schema[field]
        self.size = stream.batch * int(np.prod(spec.shape)) * spec.dtype.itemsize
        self.sums = torch.zeros(int(max(batch.index.max() for batch in stream)) + 1, dtype=torch.int64)
        for batch in stream:
            self.sums[torch.from_numpy(batch.index)] = checksum(batch[field].copy())

    def rate(self, name, loop):
        """loop() goes on for one epoch: batches, and [(checksums on the GPU, sample numbers)]."""
        began, batches, wrong = time.perf_counter(), 0, 0
        while time.perf_counter() - began < self.seconds:
            count, checks = loop()
            batches += count
            for sums, index in checks:
                wrong += not bool((sums.cpu() == self.sums[index.cpu()]).all())
        self.torch.cuda.synchronize()
        each = (time.perf_counter() - began) / batches
        print(f"{name:10}{self.size / each / 1e9:8.2f} GB/s{each * 1e6:10.0f} us a batch   {wrong} of {batches} wrong")
        return self.size / each, wrong

    def limit(self):
        buffer = self.torch.empty(self.size, dtype=self.torch.uint8, pin_memory=True)
        for _ in range(64):
            buffer.to("cuda", non_blocking=True)
        self.torch.cuda.synchronize()
        return 64, []

    def pageable(self):
        checks = []
        for batch in self.stream:
            checks.append(
                (checksum(self.torch.from_numpy(batch[self.field]).to("cuda")), self.torch.from_numpy(batch.index))
            )
        return len(checks), checks

    def loader(self, pin):
        from headrace.torch import Loader

        loader = Loader(self.stream, (self.field, headrace.INDEX), device="cuda", pin=pin)
        return lambda: (len(loader), [(checksum(x), index) for x, index in loader])

    def trap(self):
        """The ring is page-locked by now. What a user's loop over views would do if the stream allowed it."""
        from headrace._loop import Loop

        checks, loop = [], Loop(self.stream, resumes=False)
        while (batch := loop.take(to_device=True)) is not None:
            if len(checks) % 8 == 0:
                self.torch.cuda._sleep(30_000_000)  # the device is busy, as in training
            x = self.torch.from_numpy(batch[self.field]).to("cuda", non_blocking=True)
            checks.append((checksum(x), self.torch.from_numpy(batch.index)))
            del batch, x
        loop.end()
        return len(checks), checks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("field")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("measure_gpu.py: PyTorch is not installed; nothing measured")
        return NO_GPU
    if not torch.cuda.is_available():
        print("measure_gpu.py: PyTorch sees no GPU here; nothing measured")
        return NO_GPU
    print(
        f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, batch {arguments.batch}, {arguments.slots} slots"
    )
    flags = {f"field.{arguments.field}.source": arguments.field, "batch": arguments.batch, "slots": arguments.slots}
    flags["last"] = "pad"  # else each epoch leaves out other samples, and the checksums of one do not do for all
    with headrace.local(files=arguments.file, progress=False, **flags) as stream:
        measured = Measurement(stream, arguments.field, arguments.seconds)
        best, _ = measured.rate("limit", measured.limit)
        bad = measured.rate("pageable", measured.pageable)[1]
        bad += measured.rate("unpinned", measured.loader(False))[1]
        ours, wrong = measured.rate("loader", measured.loader(True))
        bad += wrong
        print(f"loader: {ours / best:.2f} of the limit")
        if not measured.rate("trap", measured.trap)[1]:
            print("the trap gave nothing wrong: this machine copies too fast for the check to see it")
        if bad:
            print(f"{bad} batches were wrong outside of the trap", file=sys.stderr)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
