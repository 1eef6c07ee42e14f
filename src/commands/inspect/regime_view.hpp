// How samples come to batches, as far as configuration and files say it without a machine: what `headrace inspect -c` tells
// of a disk, of windows and of an early start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "data/fields/report.hpp"

namespace headrace::commands::inspect {

struct RegimeView {
  std::string scratch{};            ///< folder, or ""
  std::string window{};             ///< the key as it is, or ""
  bool early = false;               ///< start = early
  std::uint64_t early_windows = 0;  ///< that epoch 0 is then shuffled in; 0: as a whole, all is read before
};

RegimeView regime_of(const config::Config& config, const data::fields::ConfigReport& report);
/// Sentences for people; none where everything is read to memory first.
std::vector<std::string> lines_of(const RegimeView& view);

}  // namespace headrace::commands::inspect
