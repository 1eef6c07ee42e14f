// Rows of a catalog's files that are no HDF5 files, from where the catalog says.
#pragma once

#include <vector>

#include "catalog/catalog.hpp"
#include "reader/pieces.hpp"
#include "reader/sink.hpp"
#include "reader/ways.hpp"

namespace headrace::reader {

/// All datasets of one such file. courses: one per dataset. `refused` may be empty: then nothing is let go.
void read_foreign(const std::vector<Course>& courses, const std::vector<Piece>& pieces, unsigned threads,
                  const Refused& refused);

}  // namespace headrace::reader
