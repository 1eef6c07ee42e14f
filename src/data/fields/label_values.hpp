// The values that a label has in the files, where nobody names its classes.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "mpi/comm.hpp"
#include "reader/load.hpp"

namespace headrace::data::fields {

/// Collective. Each value once, as text; of the whole data set, whatever streams select. `dataset`: the one that the
/// field's only source is in. Samples that options.refused lets go have none. Throws UsageError for floats, and Error
/// for more values than labels can have, or none.
std::vector<std::string> label_values(const config::FieldConfig& field, const std::string& dataset,
                                      const catalog::Contents& contents, const mpi::Comm& comm,
                                      const reader::LoadOptions& options);

}  // namespace headrace::data::fields
