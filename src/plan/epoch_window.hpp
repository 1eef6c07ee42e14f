// Which window of which epoch, as those follow each other. A plain value.
#pragma once

#include <compare>
#include <cstdint>

namespace headrace::plan {

struct EpochWindow {
  std::uint64_t epoch = 0, window = 0;
  auto operator<=>(const EpochWindow&) const = default;
};

}  // namespace headrace::plan
