"""A trainer that is killed and started again by kills.py: its log tells each batch before and after its release, and
"in" when it has found a service.

    kills_trainer.py FOLDER LABEL SERVICE RANK WORLD_SIZE RECONNECT BEGIN

BEGIN is a state file to load, "first" for the first batch of all, or "own": where the service has this rank go on.
"""

import ctypes
import itertools
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

import headrace
from samples import wrong_fields

EVERY = 7  # global batches between two checkpoints
PACE = 0.004  # seconds of work on a batch
PATIENCE = 120  # seconds for the service to notice that the one before us is dead
LOST = 3  # exit code


def connect(service, **place):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return headrace.connect(service, timeout=300, progress=False, **place)
        except headrace.Refused:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def main(folder, label, service, rank, world_size, reconnect, begin):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    log = os.open(Path(folder) / f"{label}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    stream = connect(service, rank=int(rank), world_size=int(world_size), reconnect=reconnect == "True")
    if begin == "first":
        stream.seek(0)
    elif begin != "own":
        stream.load_state_dict(json.loads(Path(begin).read_text()))

    class TellOfReturn(logging.Handler):
        def emit(self, record):
            if "is back after" in record.getMessage():
                os.write(log, b"in\n")

    logging.getLogger("headrace").addHandler(TellOfReturn())
    os.write(log, b"in\n")
    for _ in itertools.count():
        for batch in stream:
            wrong = wrong_fields(batch)
            assert not wrong, f"epoch {batch.epoch}, step {batch.step}: {wrong}"
            place = f"{batch.epoch} {batch.step}"
            os.write(log, f"take {place} {' '.join(map(str, batch.index))}\n".encode())
            state = stream.state_dict()
            if state["step"] % EVERY == 0:
                path = Path(folder) / f"{label.split('.')[0]}-{rank}-{state['epoch']}-{state['step']}.json"
                path.with_suffix(".part").write_text(json.dumps(state))
                path.with_suffix(".part").rename(path)
            time.sleep(PACE)
            batch.release()
            os.write(log, f"done {place}\n".encode())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except headrace.ServiceLost:
        sys.exit(LOST)
