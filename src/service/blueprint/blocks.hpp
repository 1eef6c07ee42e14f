// The blocks of a data set: which samples are read at once where streams are shuffled in windows. A function of the
// files, the datasets that are read and the key `block` alone. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "catalog/catalog.hpp"
#include "plan/blocks.hpp"

namespace headrace::service::blueprint {

/// Bytes are those of the selected datasets, decoded. Borders are aligned to the chunks of the datasets that carry the
/// bytes; where their chunks fit each other only far apart, to the largest ones. UsageError where there would be so
/// many that their tables alone fill memory.
plan::Blocks blocks_of(const catalog::Catalog& catalog, std::uint64_t least_bytes);
/// The same of files of which no more is known.
plan::Blocks blocks_of(std::span<const plan::FileRows> files, std::uint64_t least_bytes);
/// What to do about blocks that are too large: "take smaller blocks (block)"; or, where chunks make them larger than
/// they have to be, which dataset has to have smaller ones.
std::string smaller_blocks(const catalog::Catalog& catalog, std::uint64_t least_bytes);
/// How many there will be, or hardly fewer.
std::uint64_t most_blocks_of(const catalog::Catalog& catalog, std::uint64_t least_bytes);

}  // namespace headrace::service::blueprint
