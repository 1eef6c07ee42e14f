// layout = "ftag": what salt and atlas-ftag-tools read today. A compound `jets` with all that a jet has, by name, and
// `flavour_label`; for each field with two axes a compound of its name, elements of a jet in a row, with `valid`. Pure.
#pragma once

#include "commands/writing/layout.hpp"
#include "config/outputs.hpp"

namespace headrace::commands::premix {

writing::Layout living(const config::OutputConfig& config, const Schema& schema, std::uint64_t samples);

}  // namespace headrace::commands::premix
