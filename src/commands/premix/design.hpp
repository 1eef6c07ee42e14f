// What the layout of a file is made from: the fields, and what each of them is. Plain values.
#pragma once

#include <cstdint>
#include <vector>

#include "commands/writing/roles.hpp"
#include "config/outputs.hpp"

namespace headrace::commands::premix {

struct Design {
  const config::OutputConfig& config;
  const Schema& schema;
  std::uint64_t samples;
  std::vector<writing::Role> roles;  ///< of each field
};

}  // namespace headrace::commands::premix
