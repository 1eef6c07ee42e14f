// From the files as they were named to the files that are read: the sources of virtual datasets are looked for, what is
// lost is noted, and files that can be seen through are replaced.
#pragma once

#include "catalog/sources.hpp"

namespace headrace::catalog {

/// Pure but for `examiner` and `spread`, so that all ranks that share its jobs come to the same result.
Contents with_sources(Contents named, const ScanOptions& options, Examiner& examiner, const Spread& spread);

/// Throws UsageError where a file comes twice, by itself and through a virtual one, or through two: as one that is
/// named twice, its samples would come twice.
void require_once(const Contents& contents);

}  // namespace headrace::catalog
