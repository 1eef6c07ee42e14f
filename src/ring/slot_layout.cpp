#include "ring/slot_layout.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace headrace::ring {

namespace {

// Far above any memory, far below where sums could overflow.
constexpr std::uint64_t largest_array = std::uint64_t{1} << 48;

std::uint64_t array_bytes(const Field& field, std::uint32_t batch) {
  std::uint64_t bytes = batch * size_of(field.dtype);
  for (const auto extent : field.shape)
    require(!__builtin_mul_overflow(bytes, extent, &bytes) && bytes <= largest_array,
            "field '" + field.name + "' is too large for a batch of " + std::to_string(batch) +
                " rows; take a smaller batch, or fewer columns");
  return bytes;
}

}  // namespace

SlotLayout::SlotLayout(const Schema& schema, std::uint32_t batch) : batch_(batch) {
  require(batch >= 1, "a batch must have at least one row");
  require(schema.size() <= max_fields, "at most " + std::to_string(max_fields) + " fields fit into a batch, not " +
                                           std::to_string(schema.size()) + "; name the fields that are needed");
  std::uint64_t end = 0;
  for (const auto& field : schema) {
    fields_.push_back(end);
    end = round_up(end + array_bytes(field, batch), array_alignment);
  }
  index_ = end;
  bytes_ = round_up(index_ + batch * sizeof(std::int64_t), page_bytes);
}

}  // namespace headrace::ring
