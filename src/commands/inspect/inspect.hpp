// `headrace inspect`: what is in files, and how well it will read. Needs no MPI.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace headrace::commands::inspect {

/// Examines the files (paths or patterns) and tells: every dataset, which of them can be fields together, and where
/// reading will be slow. As a table for people or as JSON (described below). Returns the exit code; throws Error for
/// files that cannot be read.
///
///   {"files": [{"path", "bytes", "datasets": [{"path", "shape", "type", "members": [{"name", "type", "offset"}],
///               "layout", "chunks", "filters": [{"id", "name", "values", "available"}], "sample_bytes", "bytes",
///               "stored_bytes", "ratio", "can_be_field", "reason",
///               "virtual": {"sources", "missing": [file], "fill_rows", "read": "sources" | "hdf5", "text", "problem"}
///               (of virtual ones)}],
///              "dead_links": [{"path", "kind", "file", "target", "reason"}]}],
///    "groups": [{"samples", "sample_bytes", "datasets"}], "left_out": [{"path", "reason"}],
///    "advice": [{"file", "dataset", "text"}], "packed": [{"dataset", "decoded", "text"}]}
/// all: tables fold no long lists.
int inspect(const std::vector<std::string>& files, bool json, bool all, std::ostream& out);

}  // namespace headrace::commands::inspect
