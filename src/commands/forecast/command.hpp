// `headrace plan`: a dry run for machines of any size. Needs no MPI.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "commands/forecast/forecast.hpp"
#include "config/command_line.hpp"
#include "config/value.hpp"

namespace headrace::commands::forecast {

struct PlanOptions {
  std::uint32_t nodes = 1, stagers_per_node = 1;
  std::optional<std::uint64_t> samples, row_bytes;  ///< both, instead of files
  Rates rates;
  bool json = false;
  std::string plot{};   ///< path of a picture of what [resample] or window does; "": none
  std::string label{};  ///< item whose mixing by windows is looked at; "": none
};

/// "25GB/s", "25GB", "200Gbit/s": bytes per second.
double rate(const config::Value& value);

int plan(const config::Config& config, const PlanOptions& options, std::ostream& out);

config::Command plan_command();

}  // namespace headrace::commands::forecast
