// The windows that a service would lay out on machines that are not there, and what of them would be in memory. No MPI;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "commands/forecast/figures.hpp"
#include "config/config.hpp"
#include "plan/selection.hpp"
#include "service/blueprint/blueprint.hpp"

namespace headrace::commands::forecast {

/// Where the samples of the streams are: rows per stager, and per stream its first ordinals.
struct Layout {
  std::uint64_t samples = 0;
  plan::Selection stored;
  std::vector<std::uint64_t> rows;
  std::vector<std::vector<std::uint64_t>> first_ordinals;
  std::vector<std::optional<plan::Selection>> selections;  // of streams; nothing: taken as spread evenly
};

/// The windows of epoch 0 where it begins before all is read.
void lay_out_early(const config::Config& config, const DataFacts& facts, const Layout& layout,
                   service::blueprint::Blueprint& blueprint, Forecast& result);

/// Those of all epochs. Where not all samples fit, `result` has what is in memory then. Throws as the service would.
void lay_out_windows(const config::Config& config, const DataFacts& facts, const Layout& layout,
                     service::blueprint::Blueprint& blueprint, Forecast& result);

}  // namespace headrace::commands::forecast
