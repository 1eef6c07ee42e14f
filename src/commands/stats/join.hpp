// The rows of joined tables that belong to a stream's samples.
#pragma once

#include "commands/stats/survey.hpp"

namespace headrace::commands::stats {

/// Collective. Each stager reads an equal part of each table and adds up the rows that are delivered.
void measure_joins(const Survey& survey, Tallies& tallies);

}  // namespace headrace::commands::stats
