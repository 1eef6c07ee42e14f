#!/usr/bin/env python3
"""Lightning: fit with validation; a run that is started again goes on with exactly the batches that are missing.

headrace serve -c jobs/lcd.toml lcd.h5 --name lcd & python jobs/examples/lightning_lcd.py lcd [CHECKPOINT]
"""

import sys

import headrace
import lightning
import torch
from headrace.torch import Loader


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(25**3, 4))

    def training_step(self, batch, _):
        return torch.nn.functional.cross_entropy(self.layers(batch[0]), batch[1])

    def validation_step(self, batch, _):
        self.log("val_loss", self.training_step(batch, _), batch_size=len(batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


def main(service, checkpoint=None):
    with headrace.connect(service, "train") as train, headrace.connect(service, "val") as val:
        save = lightning.pytorch.callbacks.ModelCheckpoint(every_n_train_steps=3, save_last=True)
        trainer = lightning.Trainer(max_epochs=2, callbacks=[save], enable_progress_bar=False, logger=False)
        loaders = Loader(train, ("ECAL", "label")), Loader(val, ("ECAL", "label"))  # the checkpoint has their state
        trainer.fit(Classifier(), *loaders, ckpt_path=checkpoint, weights_only=False)
        print(f"step {trainer.global_step}, checkpoint {save.last_model_path}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
