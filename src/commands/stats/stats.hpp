// `headrace stats -c CONFIG`: what normalisation asks for, measured once over the samples of a stream, and written into
// the scale files that the configuration names. `serve` only reads them.
//
//   The file   JSON: {dataset: {variable: {...}}}; columns without names by their number, datasets of one such column
//              under the dataset alone, norm-over = "field" under the field's name. Each entry: mean, std, min, max
//              (over selected, valid, finite values, after log and tanh-log), default, and the shift and scale that
//              follow.
//   default    the value that becomes the mean once log and tanh-log are done
//   no spread  std and scale are 1, with a warning
//   "headrace-stats"   what readers ignore: stream, samples, and how often each class of a label occurs
#pragma once

#include <iosfwd>
#include <string>

#include "config/config.hpp"

namespace headrace::commands::stats {

struct StatsOptions {
  std::string stream;  ///< whose samples; "": train, or the only one
  std::string output;  ///< the file to write, instead of those that the fields name
};

/// Under mpirun or alone. Tells the numbers, and returns the exit code. An existing file is replaced only if this
/// command wrote it.
int stats(const config::Config& config, const StatsOptions& options, std::ostream& out);

}  // namespace headrace::commands::stats
