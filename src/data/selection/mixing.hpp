// How a stream mixes its classes, once it is known how many samples it has of each. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "plan/epoch_order.hpp"

namespace headrace::data::selection {

/// Whether classes are walked each by itself: not where they come in proportion over the epoch, which is what a shuffle
/// of all does.
bool mixes(const config::StreamConfig& stream);

/// samples: of each class in the stream, all above 0; empty, and null returned, where nothing is mixed. Throws UsageError
/// that names the stream where the shares cannot be.
std::shared_ptr<const plan::Mix> mix_of(const config::Config& config, const config::StreamConfig& stream,
                                        const std::vector<std::uint64_t>& samples);

/// What an epoch brings of each class, a line each: "b: 250000 of 400000 samples, each at most once". classes: their names.
std::vector<std::string> names_of(const std::vector<config::ClassConfig>& classes);
std::vector<std::string> lines_of(const plan::EpochOrder& order, const plan::Mix& mix,
                                  const std::vector<std::string>& classes);

}  // namespace headrace::data::selection
