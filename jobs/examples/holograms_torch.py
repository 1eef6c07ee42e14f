#!/usr/bin/env python3
"""Holograms and their particles in PyTorch: images, a padded table, and the mask of what is real.

headrace serve -c jobs/holograms.toml --name holograms &
python jobs/examples/holograms_torch.py holograms
"""

import sys

import headrace
import torch
from headrace.torch import Loader


def main(service, epochs=1):
    device = "cuda" if torch.cuda.is_available() else None
    with headrace.connect(service, "train") as train, headrace.connect(service, "val") as val:
        load = {"structure": ("image", "particles", "particles_valid"), "device": device}
        rows = train.schema["particles"].shape
        model = torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 5, stride=4),
            torch.nn.AdaptiveAvgPool2d(4),
            torch.nn.Flatten(),
            torch.nn.Linear(64, rows[0] * rows[1]),
            torch.nn.Unflatten(1, rows),
        ).to(device)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(epochs):
            for image, particles, real in Loader(train, **load):
                loss = (model(image) - particles)[real].square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            with torch.no_grad():
                losses = [(model(i) - p)[m].square().mean() for i, p, m in Loader(val, **load)]
            print(f"epoch {epoch}: loss {loss:.3f}, validation {torch.stack(losses).mean():.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
