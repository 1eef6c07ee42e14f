// What a service will do on machines that are not there: memory, traffic, balance, times and rates, worked out from the
// configuration and a few rates by the arithmetic that the service itself uses. No MPI; any thread.
//
//   1. Steps are sampled (those in flight at one time), but whole: every batch of every trainer is planned.
//   2. A rate that was not given limits nothing, and where none was given there is no forecast of times.
#pragma once

#include <cstdint>

#include "commands/forecast/figures.hpp"
#include "config/config.hpp"

namespace headrace::commands::forecast {

/// most_bytes: that may be read to count what the data decide.
DataFacts facts_of_files(const config::Config& config, std::uint64_t most_bytes = 0);
/// One field of `row_bytes` bytes.
DataFacts facts_made_up(const config::Config& config, std::uint64_t samples, std::uint64_t row_bytes);

/// config.memory: of a node. Throws UsageError where the configuration cannot be on this machine.
Forecast forecast(const config::Config& config, const DataFacts& facts, const plan::Machine& machine,
                  const Rates& rates);

}  // namespace headrace::commands::forecast
