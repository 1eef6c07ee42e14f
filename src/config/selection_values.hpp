// Values that say which samples: a split, a condition. Pure functions; they throw UsageError.
#pragma once

#include "config/value.hpp"

namespace headrace::config {

/// "train:0.8, val:0.2": names once each, fractions above 0 that add up to at most 1.
std::vector<SplitPart> split_parts(const Value& value);

/// The text of a condition whose syntax is right.
std::string condition(const Value& value);

}  // namespace headrace::config
