// JSON and YAML as one kind of value. Pure function.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace headrace::data::fields {

/// The text as JSON value; numbers, .nan and .inf of YAML as numbers, quoted texts as texts. What is nested deeper than
/// four levels is left out. Throws UsageError with the place of a mistake, beginning with `path`.
nlohmann::json json_or_yaml(std::string_view text, const std::string& path);

}  // namespace headrace::data::fields
