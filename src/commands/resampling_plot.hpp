// A picture of what [resample] does to the distributions of the binned variables, class by class.
#pragma once

#include <string>

#include "data/fields/report.hpp"

namespace headrace::commands {

/// Throws UsageError where nothing is resampled; Error as draw_picture().
void plot_resampling(const config::Config& config, const data::fields::ConfigReport& report, const std::string& path);

}  // namespace headrace::commands
