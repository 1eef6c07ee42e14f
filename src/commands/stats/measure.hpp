// Reads a stream's samples once and adds up what they hold. The reader hands out rows from several threads in any
// order; their sums are merged in the order of samples, then of stagers, so that the same launch gives the same bits.
#pragma once

#include "commands/stats/survey.hpp"

namespace headrace::commands::stats {

/// Collective; the sums of all stagers, on every one.
Tallies measure(const Survey& survey);

}  // namespace headrace::commands::stats
