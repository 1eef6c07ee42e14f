// The samples of an inventory in one HDF5 file, in the order of its table.
#pragma once

#include "commands/writing/orders.hpp"
#include "config/config.hpp"

namespace headrace::commands::pack {

/// Collective over the job. The exit code: 1 where it was interrupted, with a word on how to go on.
int pack(const config::Config& config, const writing::Orders& orders);

}  // namespace headrace::commands::pack
