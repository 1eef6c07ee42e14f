// What is allowed, and yet probably not what the user wants. Pure.
#pragma once

#include <string>
#include <vector>

#include "data/fields/resolve.hpp"

namespace headrace::data::fields {

/// Beginning with "[field.NAME]":
///   padding that looks like values: labels and integers whose elements are not all real, and no word about `fill`.
std::vector<std::string> warnings_of(const config::FieldConfig& config, const ResolvedField& resolved);

}  // namespace headrace::data::fields
