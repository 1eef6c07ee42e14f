// The blocks of a data set: which samples are read at once where streams are shuffled in windows. A function of the
// files, the datasets that are read and the key `block` alone. Pure; any thread.
#pragma once

#include "catalog/catalog.hpp"
#include "plan/blocks.hpp"

namespace headrace::service::blueprint {

/// Bytes are those of the selected datasets, decoded. Borders are aligned to the chunks of the datasets that carry the
/// bytes; where their chunks fit each other only far apart, to the largest ones.
plan::Blocks blocks_of(const catalog::Catalog& catalog, std::uint64_t least_bytes);

}  // namespace headrace::service::blueprint
