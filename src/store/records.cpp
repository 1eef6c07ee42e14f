#include "store/records.hpp"

#include <algorithm>
#include <numeric>

#include "base/bytes.hpp"

namespace headrace::store {

namespace {
constexpr std::uint64_t sector = 512, packed_below = 2048;
constexpr std::uint64_t word = 8;  // so that few hundred records end with a page
}  // namespace

Records::Records(const Schema& schema, std::uint64_t rows) : rows_(rows) {
  for (const auto& field : schema) fields_.push_back(fields_.back() + field.row_bytes());
  stride_ = round_up(bytes(), bytes() < packed_below ? word : sector);
}

std::uint64_t Records::file_bytes() const {
  return round_up(rows_ * stride_, page);
}

std::uint64_t Records::rows_a_piece(std::uint64_t piece_bytes) const {
  if (stride_ == 0) return std::max<std::uint64_t>(1, rows_);
  const auto grain = page / std::gcd(stride_, page);
  return std::max(grain, piece_bytes / stride_ / grain * grain);
}

}  // namespace headrace::store
