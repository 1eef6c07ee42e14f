// Values that say how classes are mixed, and what they are. Pure functions; they throw UsageError.
#pragma once

#include <string>
#include <vector>

#include "config/value.hpp"

namespace headrace::config {

/// "proportion", "balanced", or shares: "b:2, c:1".
void set_mix(MixConfig& mix, const Value& value);

/// "shortest", "longest", or a number of samples.
EpochSize epoch_size(const Value& value);

/// What class-column and class-names say as classes with conditions; added to what is wrong where they contradict
/// [class.NAME] or each other.
void settle_classes(Config& config, Mistakes& mistakes);

/// What mixes ask for against the classes that there are, and against other keys.
void check_mixes(const Config& config, Mistakes& mistakes);

}  // namespace headrace::config
