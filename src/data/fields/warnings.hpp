// What is allowed, and yet probably not what the user wants. Pure.
#pragma once

#include <string>
#include <vector>

#include "service/field_resolve.hpp"

namespace headrace::service {

/// Beginning with "[field.NAME]":
///   padding that looks like values: labels and integers whose elements are not all real, and no word about `fill`.
std::vector<std::string> warnings_of(const FieldConfig& config, const ResolvedField& resolved);

}  // namespace headrace::service
