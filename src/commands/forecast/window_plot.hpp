// What `headrace plan` tells of streams in windows beyond the plan itself: how the files are sorted by a label that is
// named, and a picture of where the samples of batches come from.
#pragma once

#include <string>

#include "commands/forecast/forecast.hpp"

namespace headrace::commands::forecast {

/// Reads the label, an item as fields have them, of all samples. Adds how windows mix it to the streams' figures. Errors
/// where no stream is shuffled in windows, or the label is no column.
void look_at_label(const config::Config& config, DataFacts& facts, const std::string& label, Forecast& result);

/// Draws batches of the streams in windows beside one of a global shuffle; by the classes of a label, if one is named.
void plot_windows(const config::Config& config, DataFacts& facts, const std::string& label, const Forecast& result,
                  const std::string& path);

}  // namespace headrace::commands::forecast
