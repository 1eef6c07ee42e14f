"""One of two trainers, under torchrun or started by mp.spawn: trains one epoch by the way that is named, and writes the
sample numbers that it saw and a weight of its model.

    two.py SERVICE FOLDER ddp | fsdp | accelerate | spawn
"""

import json
import os
import sys
from pathlib import Path

import headrace
import torch
import torch.distributed as dist
from headrace import INDEX
from headrace.torch import Loader


def train(model, loader, backward):
    seen = []
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    for x, index in loader:
        assert bool((x == index.float()[:, None, None]).all())
        seen += index.tolist()
        optimizer.zero_grad()
        backward(model(x.flatten(1) / 448).square().mean())
        optimizer.step()
    return seen


def main(service, folder, way):
    torch.manual_seed(0)
    model = torch.nn.Linear(16, 1)
    if way == "accelerate":
        import accelerate

        accelerator = accelerate.Accelerator(cpu=True)
    elif not dist.is_initialized():
        dist.init_process_group("gloo")
    # Of the launcher, or of torch.distributed where there is none.
    with headrace.connect(service, "train", timeout=60, progress=False) as stream:
        loader, backward = Loader(stream, ("x", INDEX)), torch.Tensor.backward
        if way == "accelerate":
            model, loader = accelerator.prepare(model, loader)
            backward = accelerator.backward
        elif way == "fsdp":
            from torch.distributed.fsdp import fully_shard

            fully_shard(model)
        else:
            model = torch.nn.parallel.DistributedDataParallel(model)
        seen = train(model, loader, backward)
        rank = stream.rank
    weight = next(model.parameters()).detach()
    weight = weight.full_tensor() if hasattr(weight, "full_tensor") else weight
    Path(folder, f"{rank}.json").write_text(json.dumps({"seen": seen, "weight": weight.flatten().tolist()}))
    dist.barrier()  # gloo may end a process whose peer has left already
    dist.destroy_process_group()


def spawned(rank, *arguments):
    dist.init_process_group("gloo", init_method=f"file://{arguments[1]}/meet", rank=rank, world_size=2)
    main(*arguments)


if __name__ == "__main__":
    if sys.argv[3] == "spawn":
        for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
            os.environ.pop(name, None)
        torch.multiprocessing.spawn(spawned, tuple(sys.argv[1:]), nprocs=2)
    else:
        main(*sys.argv[1:])
