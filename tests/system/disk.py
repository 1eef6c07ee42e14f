"""Services whose samples lie on a disk in part."""

import json
import subprocess

from service import HEADRACE

MB = 1 << 20


def memory_for(share, config=None, files=(), stagers=1, split_nodes=False, **flags):
    """What `memory` leaves room for that share of the samples on each node, beside rings and buffers."""
    nodes, per_node = (stagers, 1) if split_nodes else (1, stagers)
    words = [f"--{key.replace('_', '-')}={value}" for key, value in {"slots": 4, **flags}.items()]
    done = subprocess.run([HEADRACE, "plan", *map(str, files), *([f"--config={config}"] if config else []), *words, "--json",
                           f"--nodes={nodes}", f"--stagers-per-node={per_node}", "--memory=100TiB"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    need = json.loads(done.stdout)["memory"]
    buffers = max(min(max(64 // per_node, 8), 32) * (268 << 10), 8 * MB)  # of readers; of what writes before them
    return int(need["rings"] + need["buffers"] + per_node * buffers + share * need["store"])
