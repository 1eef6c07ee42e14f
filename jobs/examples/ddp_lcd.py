#!/usr/bin/env python3
"""Data-parallel training under torchrun, with a checkpoint from which the next run goes on in the middle of an epoch.

headrace serve -c jobs/lcd.toml lcd.h5 --name lcd --trainers-per-node 2 &
torchrun --nproc-per-node 2 jobs/examples/ddp_lcd.py lcd checkpoint.pt [STEPS]
"""

import itertools
import pathlib
import sys

import headrace
import torch
import torch.distributed as dist
from headrace.torch import Loader


def main(service, path, steps="1000000"):
    dist.init_process_group()
    with headrace.connect(service, "train") as stream:  # rank and size as torchrun says
        model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(25**3, 4))
        optimizer = torch.optim.SGD(model.parameters(), 1e-4)
        if pathlib.Path(path).exists():
            saved = torch.load(path)
            model.load_state_dict(saved["model"])
            stream.load_state_dict(saved["data"])
        epochs = [Loader(stream, ("ECAL", "label"))] * (2 - stream.position[0])  # what is left of the first, and others
        for x, label in itertools.islice(itertools.chain(*epochs), int(steps)):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x.flatten(1)), label).backward()
            optimizer.step()
        if stream.rank == 0:
            torch.save({"model": model.state_dict(), "data": stream.state_dict()}, path)
            print("saved at epoch {}, step {}".format(*stream.position))
    dist.barrier()  # gloo may end a process whose peer has left already
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
