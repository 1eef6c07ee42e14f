// From the configuration of a field and what the files hold to what is done to its values and what trainers receive.
// Pure function: no file is opened here.
//
//   1. Row shape: the axes of the records (tracks), then the column axis. Items without record axes are repeated along
//      those of the others; a plain dataset whose whole row has the record axes of another item, or of `valid`, is one
//      column of them.
//   2. Columns have their own names. Those of repeated items begin with their dataset's name in the singular, which is
//      the last part of its path without a final "s": pt of `jets` is `jet_pt`. So do names that come twice.
//   3. A field of a single plain dataset whose columns are all treated alike is one column of many records: the same
//      bytes, and read straight to their place where nothing is computed.
//   4. Scale files are looked up by dataset and variable, then by variable. Plain datasets: by dataset and the column's
//      number, then by the dataset, then by the field. norm-over = "field": by the field (means of means would be
//      wrong).
//   5. nonfinite unsaid: keep, but error for columns that are computed or cast. NetCDF decoding counts as neither: its
//      NaN are missing values.
//   6. Files may hold the datasets in different types, with other members, in another order: what a field names must be
//      in each of them (or may be missing), and its types combine as those of several sources do, unless that loses
//      values.
#pragma once

#include "data/fields/resolved_field.hpp"

namespace headrace::data::fields {

/// Throws UsageError that begins with "[field.NAME]".
ResolvedField resolve_field(const ResolveInput& input);

}  // namespace headrace::data::fields
