#include "commands/premix/layout.hpp"

namespace headrace::commands::premix {

std::uint64_t Layout::row_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& table : tables) bytes += table.dataset.row_bytes();
  return bytes;
}

}  // namespace headrace::commands::premix
