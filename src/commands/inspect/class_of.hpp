// Of which class one sample is, without a look at the others.
#pragma once

#include <cstdint>
#include <optional>

#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "mpi/comm.hpp"
#include "reader/load.hpp"

namespace headrace::commands::inspect {

/// The number of its class; nothing where it is of none. Collective over `comm`. Throws UsageError as choose_classes()
/// does, and where two classes have it.
std::optional<std::size_t> class_of(const config::Config& config, const catalog::Contents& contents,
                                    const catalog::Catalog& catalog, std::uint64_t sample, const mpi::Comm& comm,
                                    const reader::LoadOptions& options);

}  // namespace headrace::commands::inspect
