// Around a read of data in other files through HDF5, in the process that reads: HDF5 tells neither of a source that it
// failed to open nor of a raw file that is too short, and of open files there is a limit.
#pragma once

#include <vector>

#include "catalog/catalog.hpp"
#include "reader/pieces.hpp"

namespace headrace::reader {

/// Before: throws where the sources of these rows are more files than the process may open.
void require_room_for_sources(const catalog::FileInfo& file, const h5::DatasetInfo& dataset,
                              const std::vector<Piece>& pieces);

/// Before: throws where this process does not see all of a dataset's raw files.
void require_raw_files(const h5::File& file, const h5::DatasetInfo& dataset);

/// After, while HDF5 still holds the dataset open: throws unless it has opened all of its own sources of these rows.
void require_open_sources(const h5::DatasetInfo& dataset, const std::vector<Piece>& pieces);

}  // namespace headrace::reader
