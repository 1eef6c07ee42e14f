// Values of [resample], and what they ask for against other keys. Pure functions; they throw UsageError.
#pragma once

#include "config/value.hpp"

namespace headrace::config {

/// "jets.pt = 0:250e3:50, 250e3:6e6:50": a variable, or abs() of one, and edges in regions FIRST:LAST:BINS that follow
/// each other.
BinAxis bin_axis(const Value& value, const std::string& text);
std::vector<BinAxis> bin_axes(const Value& value);

/// Up to most_times it is a multiple of the target's number of samples; more than that is a number of samples.
constexpr double most_times = 10;
ResampleConfig::Amount amount(const Value& value);

/// min, mean, max, flat: what no class can be called that is a target.
bool is_target_rule(const std::string& target);
/// Whether the target is a file of numbers, one for each bin: where no class is called so, and it looks like one.
bool has_target_file(const Config& config);

/// Whether [resample] holds for a stream; and whether its samples are drawn, so that they come several times or not at all.
bool bins(const Config& config, const StreamConfig& stream);
bool resamples(const Config& config, const StreamConfig& stream);

/// What [resample] and lists with repeats ask for against the classes that there are, and against other keys.
void check_resampling(const Config& config, Mistakes& mistakes);

}  // namespace headrace::config
