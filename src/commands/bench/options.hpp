// What `headrace bench` was asked for, beside the configuration. Plain values.
#pragma once

#include <string>

namespace headrace::commands::bench {

struct BenchOptions {
  std::string synthetic;       ///< "69KB x 30000": rows of that size, that many; "": the configuration's files
  std::string json;            ///< where to write the figures; "": nowhere
  unsigned repeats = 5;        ///< of everything; medians are told, with the range
  double round_bytes = 4e9;    ///< that all trainers together take per round, at least (whole epochs)
  double round_batches = 1e5;  ///< of all of them, at most (unless that is no whole epoch): small ones take their time
  double compute_seconds = 0;  ///< of a trainer on each batch, in a round of its own; 0: no such round
  double idle_seconds = 3;     ///< in which no trainer asks, to measure what the service costs then
};

}  // namespace headrace::commands::bench
