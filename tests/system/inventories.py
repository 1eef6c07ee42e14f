"""Tables of samples that have a file each, and what such files hold."""

import csv
import gzip
import io
from pathlib import Path

import numpy as np

FASHION = Path("/usr/share/datasets/fashion-mnist")


def table(path, rows, columns=("id", "target")):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def npy(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), **options)
    return file.getvalue()


def images(samples, kind="u1"):
    return np.random.default_rng(3).integers(0, 255, (samples, 5, 4)).astype(kind)


def inventory(folder, path, **more):
    return {"csv": str(folder / "table.csv"), "path": path, **more}


def fashion(count):
    """So many pictures, and what they show."""
    pixels = np.frombuffer(gzip.decompress((FASHION / "t10k-images-idx3-ubyte.gz").read_bytes()), "u1", offset=16)
    labels = np.frombuffer(gzip.decompress((FASHION / "t10k-labels-idx1-ubyte.gz").read_bytes()), "u1", offset=8)
    return pixels.reshape(-1, 28, 28)[:count], labels[:count]


C_DECODER = """
#include <headrace/decoder.h>
#include <string.h>
int hr_decoder_abi(void) { return HR_DECODER_ABI; }
int hr_decoder_open(const hr_decoder_setup* setup, void** state) {
  if (strcmp(setup->args, "three") != 0) { snprintf(setup->error, setup->error_bytes, "not three"); return 1; }
  return 0;
}
int hr_decoder_form(void* state, hr_decoder_file* file, hr_decoder_array* form) {
  form->type = "uint8"; form->axes = 1; form->shape[0] = 3; return 0;
}
int hr_decoder_decode(void* state, hr_decoder_file* file, void* values, uint64_t bytes) {
  if (file->bytes < bytes) return hr_decoder_fail(file, "too short");
  memcpy(values, file->content, bytes);
  return 0;
}
void hr_decoder_close(void* state) {}
"""
