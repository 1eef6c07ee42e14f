// `headrace plan`: a dry run for machines of any size. Needs no MPI.
#pragma once

#include <optional>
#include <ostream>

#include "service/forecast.hpp"
#include "service/options_value.hpp"

namespace headrace::service {

struct PlanOptions {
  std::uint32_t nodes = 1, stagers_per_node = 1;
  std::optional<std::uint64_t> samples, row_bytes;  ///< both, instead of files
  Rates rates;
  bool json = false;
};

/// "25GB/s", "25GB", "200Gbit/s": bytes per second.
double rate(const Value& value);

int plan(const Config& config, const PlanOptions& options, std::ostream& out);

}  // namespace headrace::service
