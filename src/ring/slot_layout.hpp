// What one slot looks like: per field an array of `batch` rows, then the sample numbers. Pure arithmetic, done by both
// sides from the same schema and compared through the ring's header. Immutable; any thread.
//
//   | field 0: batch rows | field 1: batch rows | ... | index: batch x int64 |     slot of bytes()
//   ^ page                ^ 256                       ^ 256                  ^ page
#pragma once

#include <cstdint>
#include <vector>

#include "base/schema.hpp"

namespace headrace::ring {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t array_alignment = 256;
constexpr std::uint32_t max_fields = 4096;

class SlotLayout {
 public:
  /// batch >= 1. Error if a slot would be larger than any memory.
  SlotLayout(const Schema& schema, std::uint32_t batch);

  std::uint32_t batch() const { return batch_; }
  std::uint64_t bytes() const { return bytes_; }
  std::size_t fields() const { return fields_.size(); }
  std::uint64_t field_offset(std::size_t field) const { return fields_[field]; }
  std::uint64_t index_offset() const { return index_; }

 private:
  std::uint32_t batch_;
  std::vector<std::uint64_t> fields_;
  std::uint64_t index_ = 0, bytes_ = 0;
};

}  // namespace headrace::ring
