// Whether all that a virtual dataset maps is there. HDF5 does not say: rows whose source it cannot open are the fill
// value, and a source of another shape may be read across its rows.
#pragma once

#include "catalog/sources.hpp"

namespace headrace::catalog {

/// Of a dataset that has parts.
VirtualReport check_virtual(const h5::DatasetInfo& dataset, const Sources& sources);

}  // namespace headrace::catalog
