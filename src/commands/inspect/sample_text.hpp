// A sample in words: arrays as NumPy prints them, and as JSON. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "commands/inspect/sample_view.hpp"

namespace headrace::commands::inspect {

/// "[[1 2 ... 9]\n [..." with every line after the first indented; long axes are shortened to three values at each end.
std::string text_of(const ValueArray& array, std::size_t indent = 0);

std::string as_text(const SampleView& view);
nlohmann::ordered_json as_json(const SampleView& view);

}  // namespace headrace::commands::inspect
