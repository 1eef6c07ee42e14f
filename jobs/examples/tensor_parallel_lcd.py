#!/usr/bin/env python3
"""Tensor-parallel training: a model cut in two, so that two processes want the same batch; data-parallel over pairs.

headrace serve -c jobs/lcd.toml lcd.h5 --name lcd --trainers-per-node 1 --replicas 2 &
torchrun --nproc-per-node 2 jobs/examples/tensor_parallel_lcd.py lcd
"""

import sys

import headrace
import torch
import torch.distributed as dist
from headrace.torch import Loader
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module


def main(service, replicas=2):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    groups = int(dist.get_world_size()) // replicas
    mesh = dist.init_device_mesh(device, (groups, replicas), mesh_dim_names=("data", "tensor"))
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(25**3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4))
    model = parallelize_module(model.to(device), mesh["tensor"], {"1": ColwiseParallel(), "3": RowwiseParallel()})
    optimizer = torch.optim.SGD(model.parameters(), 1e-4)
    place = {"rank": mesh.get_local_rank("data"), "world_size": groups, "replica": mesh.get_local_rank("tensor")}
    with headrace.connect(service, "train", **place) as stream:
        for x, label in Loader(stream, ("ECAL", "label"), device=device):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), label)
            loss.backward()
            optimizer.step()
        print(f"replica {stream.replica} of {stream.replicas}, rank {stream.rank}: loss {loss.item():.6f}", flush=True)


if __name__ == "__main__":
    dist.init_process_group()
    main(*sys.argv[1:])
    dist.barrier()  # gloo may end a process whose peer has left already
    dist.destroy_process_group()
