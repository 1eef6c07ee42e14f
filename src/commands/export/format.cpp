#include "commands/export/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace headrace::commands::exporting {

std::string number_text(std::uint64_t number, std::uint64_t of) {
  constexpr std::size_t usual_digits = 4;
  return fmt::format("{:0{}}", number + 1, std::max(usual_digits, std::to_string(of).size()));
}

std::uint64_t shards_of(std::uint64_t samples, std::uint64_t chunk_size) {
  return (samples + chunk_size - 1) / chunk_size;
}

}  // namespace headrace::commands::exporting
