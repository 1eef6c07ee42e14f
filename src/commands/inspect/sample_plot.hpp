// A picture of one sample, drawn by Python with matplotlib.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace headrace::commands::inspect {

/// view: as inspect_sample() writes it. Throws Error that says what to install where python3 or matplotlib is missing.
void plot_sample(const nlohmann::ordered_json& view, const std::string& path);

}  // namespace headrace::commands::inspect
