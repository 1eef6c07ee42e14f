// One sample as trainers get it, and as it stands in the file: read alone, through the very code that serves it.
#pragma once

#include <string>
#include <vector>

#include "base/schema.hpp"
#include "commands/inspect/value_array.hpp"
#include "config/config.hpp"

namespace headrace::commands::inspect {

struct FieldView {
  Field field;
  ValueArray finished;
  std::vector<ValueArray> raw;       ///< of a mask: none
  std::vector<std::string> notes{};  ///< what should be seen beside them
};

struct SampleView {
  std::uint64_t sample = 0;  ///< its number among all samples
  std::string file;
  std::uint64_t row = 0;
  std::vector<FieldView> fields;
};

/// `which`: a sample number, or FILE:ROW. Reads the rows of that sample alone; of joined tables, the ids of its file
/// and the rows that belong. Throws UsageError for a sample that is not there, and what serve would throw for values
/// that break a promise.
SampleView view_sample(const config::Config& config, const std::string& which);

}  // namespace headrace::commands::inspect
