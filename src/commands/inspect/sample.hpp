// `headrace inspect -c CONFIG --sample N` (or FILE:ROW): raw and finished values of one sample, as text, as JSON, or as
// a picture.
#pragma once

#include <iosfwd>
#include <string>

#include "config/config.hpp"
#include "data/fields/resolve_all.hpp"

namespace headrace::commands::inspect {

struct SampleOptions {
  std::string which;  ///< number of the sample, or FILE:ROW
  bool json = false;
  std::string plot = {};  ///< path of a picture to draw; needs python3 with matplotlib
  data::fields::Plugins plugins = data::fields::Plugins::look_at;
};

/// Returns the exit code. As JSON:
///
///   {"sample", "file", "row",
///    "fields": [{"name", "type", "shape", "columns", "classes", "values": nested lists (NaN and infinities: null),
///                "raw": [{"name", "type", "shape", "values"}]}]}
int inspect_sample(const config::Config& config, const SampleOptions& options, std::ostream& out);

}  // namespace headrace::commands::inspect
