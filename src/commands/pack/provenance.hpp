// What decides the bytes of a packed file, and what the file tells of itself. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/schema.hpp"
#include "commands/writing/layout.hpp"
#include "config/config.hpp"
#include "formats/journal.hpp"
#include "inventory/inventory.hpp"

namespace headrace::commands::pack {

constexpr const char* ids_path = "id";  ///< the dataset of the samples' ids

/// An interrupted run may only go on where all of it is the same. Nothing in it is a secret.
formats::Facts facts_of(const config::Config& config, const inventory::Inventory& inventory, const Schema& schema);

std::vector<h5::NewAttribute> attributes_of(const config::Config& config, const inventory::Inventory& inventory,
                                            const writing::Layout& layout);

/// About what the ids take in the file.
std::uint64_t bytes_of_ids(const inventory::Inventory& inventory);

}  // namespace headrace::commands::pack
