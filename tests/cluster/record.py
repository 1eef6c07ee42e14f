#!/usr/bin/env python3
"""record.py SERVICE FOLDER EPOCHS: a trainer, as launchers start it, that checks and writes down what it gets."""

import json
import sys
from pathlib import Path

import headrace
from samples import wrong_fields

service, folder, epochs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
with headrace.connect(service, timeout=300) as stream, (folder / f"rank{stream.rank}").open("w") as out:
    for _ in range(epochs):
        for batch in stream:
            assert not wrong_fields(batch), f"rank {stream.rank}, epoch {batch.epoch}, step {batch.step}: {wrong_fields(batch)}"
            print(json.dumps([batch.epoch, batch.index.tolist()]), file=out)
