#!/usr/bin/env python3
"""A data-parallel training step in NumPy: shows what a job needs to start, stop and go on where it was.

    train_example.py SERVICE [--epochs N] [--checkpoint FILE]

Fits a linear model that tells the sample's class (or else its mean) from its first field. After each step the gradients of
all trainers are averaged over a small all-reduce at MASTER_ADDR:MASTER_PORT; with PyTorch that is DistributedDataParallel.
On SIGTERM, which batch systems send before the time is up, and after each epoch rank 0 keeps weights and the stream's
state_dict(); the next run goes on there, whatever the number of trainers (where the global batch is the same). Its exit
code is 0 when all epochs are done and 75 when it was stopped before.
"""

import argparse
import json
import os
import signal
from multiprocessing.connection import Client, Listener
from pathlib import Path

import headrace
import numpy as np

STOPPED = 75  # EX_TEMPFAIL: come back later


class AllReduce:
    """Sums over all ranks, by way of rank 0."""

    def __init__(self, rank, size):
        address, key = (os.environ.get("MASTER_ADDR", "localhost"), int(os.environ.get("MASTER_PORT", "29500"))), b"example"
        if rank == 0:
            with Listener(("", address[1]), backlog=size, authkey=key) as listener:
                self.peers = [listener.accept() for _ in range(size - 1)]
        else:
            self.peers = [self._reach(address, key)]
        self.rank = rank

    @staticmethod
    def _reach(address, key):
        import time

        deadline = time.monotonic() + 60
        while True:
            try:
                return Client(address, authkey=key)
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def sum(self, values):
        if self.rank == 0:
            for peer in self.peers:
                values = values + peer.recv()
            for peer in self.peers:
                peer.send(values)
            return values
        self.peers[0].send(values)
        return self.peers[0].recv()


class Model:
    """prediction = weights . first field (+ bias)."""

    def __init__(self, schema):
        self.x = next(iter(schema))
        self.label = next((name for name in schema if name.lower() in ("label", "onehot", "class", "target")), None)
        self.weights = np.zeros(int(np.prod(schema[self.x].shape, dtype=np.int64)) + 1)

    def gradient(self, batch):
        """(gradient, squared error, rows): sums over the rows, so that ranks with fewer count for less."""
        rows = batch.rows
        x = np.asarray(batch[self.x][:rows], np.float64).reshape(rows, len(self.weights) - 1)
        x = np.hstack([x / (1 + np.abs(x).max(initial=0)), np.ones((rows, 1))])
        target = x[:, :-1].mean(axis=1) if self.label is None else self._class(batch[self.label][:rows])
        error = x @ self.weights - target
        return np.concatenate([x.T @ error, [error @ error, rows]])

    @staticmethod
    def _class(values):
        return values.argmax(axis=1) if values.ndim == 2 else values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("service")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoint.npz"))
    arguments = parser.parse_args()
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))

    with headrace.connect(arguments.service, timeout=600) as stream:
        model, reduce = Model(stream.schema), AllReduce(stream.rank, stream.world_size)

        def save():
            if stream.rank == 0:
                part = arguments.checkpoint.with_suffix(".part.npz")
                np.savez(part, weights=model.weights, stream=json.dumps(stream.state_dict()))
                part.replace(arguments.checkpoint)  # whole or not at all

        if arguments.checkpoint.exists():
            with np.load(arguments.checkpoint) as state:
                model.weights, position = state["weights"], json.loads(str(state["stream"]))
            stream.load_state_dict(position)  # in every trainer: the state of one will do for all
            if stream.rank == 0:
                print("going on at epoch {}, step {}".format(*stream.position), flush=True)
        for epoch in range(stream.position[0], arguments.epochs):
            loss = seen = 0.0
            for batch in stream:
                total = reduce.sum(np.append(model.gradient(batch), len(stop) > 0))
                *gradient, error, rows, stopped = total
                model.weights -= 0.1 * np.array(gradient) / max(rows, 1)
                loss, seen = loss + error, seen + rows
                if stopped:  # everybody at the same step
                    save()  # this batch counts as consumed
                    reduce.sum(np.zeros(1))  # launchers end all when one leaves like this: not before it is saved
                    return STOPPED
            save()
            if stream.rank == 0:
                print(f"epoch {epoch}: {seen:.0f} samples, mean squared error {loss / max(seen, 1):.4g}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
