// All layouts: which datasets a file has, by its key. Pure.
#pragma once

#include <cstdint>

#include "commands/writing/layout.hpp"
#include "config/outputs.hpp"

namespace headrace::commands::premix {

/// UsageError that names the key or the field: a field that is not there, a dataset that two fields would become, a
/// type that a file cannot hold.
writing::Layout layout_of(const config::OutputConfig& config, const Schema& schema, std::uint64_t samples);

}  // namespace headrace::commands::premix
