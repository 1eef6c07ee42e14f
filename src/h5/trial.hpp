// Reading for the sake of reading: what HDF5 itself does on the way to the first rows of a dataset, so that a damaged
// one ends the process that tries and no other. That HDF5 calls something an error is no matter here.
#pragma once

#include <hdf5.h>

#include "h5/dataset.hpp"

namespace headrace::h5 {

/// Reads and decodes the first chunk of an open dataset, or its first rows where it has none, with all that its
/// elements point to and wherever they lie: variable-length data, external storage. Little of it: what is large is cut,
/// and chunks are left alone that decode to more than 64 MiB. Not virtual ones: HDF5 follows circles of them until its
/// stack is full.
void try_reading(hid_t dataset, const DatasetInfo& info);

/// The first rows of a virtual one that is known to come to an end.
void try_reading_virtual(hid_t dataset, const DatasetInfo& info);

/// Called with nothing open: error where HDF5 could not let go of what it had open, which on some damaged files ends
/// the process later. May be the end of it now.
void require_all_closed();

}  // namespace headrace::h5
