// Looks at an inventory, for all ranks: which samples there are, and what the first one's file holds.
#pragma once

#include "catalog/catalog.hpp"
#include "inventory/settings.hpp"
#include "inventory/source.hpp"
#include "mpi/comm.hpp"

namespace headrace::inventory {

/// Collective. The table is read by rank 0, and told to all; each rank looks for the files of its share of the samples.
/// One "file" comes of it, the table. Throws on all: what is wrong with the table, all files that are missing, a first file that cannot be decoded.
catalog::Contents scan(const mpi::Comm& comm, const Settings& settings);

/// The same by this process alone. code: whether users' own decoders may run; else they are a UsageError.
catalog::Contents scan_alone(const Settings& settings, bool code = true);

/// The inventory behind such contents; nullptr: it is none.
const Source* source_in(const catalog::Contents& contents);

}  // namespace headrace::inventory
