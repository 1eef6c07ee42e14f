#include "transform/record_walk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/contract.hpp"
#include "transform/bad_value.hpp"

namespace headrace::transform {

RecordWalk::RecordWalk(const ItemSpec& item, std::uint64_t records, bool truncate, const Rows& rows,
                       std::size_t capacity)
    : item_(item),
      records_(item.repeated ? 1 : records),
      width_(records),
      truncate_(truncate),
      rows_(rows),
      capacity_(capacity),
      at_(item.raw.ragged ? rows.begin : rows.begin * records_) {
  EXPECTS(item.raw.ragged || item.raw.records == records_);
  EXPECTS(capacity > 0 && capacity <= block_values);
}

bool RecordWalk::next(Block& block) {
  return item_.raw.ragged ? next_ragged(block) : next_even(block);
}

bool RecordWalk::valid_outside(std::uint64_t at) const {
  if (rows_.valid == nullptr) return true;
  if (!item_.repeated) return rows_.valid[at] != std::byte{0};
  const std::byte* row = rows_.valid + at * width_;  // needed where any of its copies is
  return std::any_of(row, row + width_, [](std::byte b) { return b != std::byte{0}; });
}

void RecordWalk::mark_valid(const Records& records, std::size_t n, std::uint8_t* valid) const {
  if (item_.valid.from == ValidSpec::From::record)
    load_nonzero(item_.valid.cell, records, n, valid);
  else
    std::memset(valid, 1, n);
}

bool RecordWalk::next_even(Block& block) {
  const std::uint64_t end = rows_.end * records_, stride = item_.raw.record_bytes;
  while (at_ < end) {
    const auto begin = at_;
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(capacity_, end - begin));
    at_ += n;
    block = Block{.records = {.first = rows_.raw + begin * stride, .stride = stride}, .n = n, .first = begin};
    if (!masked()) return true;
    std::uint8_t valid[block_values];
    mark_valid(block.records, n, valid);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < n; ++i) {
      each_[kept] = rows_.raw + (begin + i) * stride;
      index_[kept] = begin + i;
      kept += valid[i] != 0 && valid_outside(begin + i) ? 1 : 0;
    }
    if (kept == n) return true;
    if (kept == 0) continue;
    block = Block{.records = {.each = each_.data()}, .n = kept, .index = index_.data()};
    return true;
  }
  return false;
}

std::uint64_t RecordWalk::ragged_length(std::uint64_t row, std::uint64_t length) const {
  if (length <= records_) return length;
  if (truncate_) return records_;
  throw BadValue(row, records_, "",
                 fmt::format("the row has {} elements, more than pad = {}; set overlong = \"truncate\" or a larger pad",
                             length, records_));
}

bool RecordWalk::next_ragged(Block& block) {
  std::size_t kept = 0;
  while (at_ < rows_.end && kept < capacity_) {
    Ragged row;
    std::memcpy(&row, rows_.raw + at_ * sizeof(row), sizeof(row));
    const auto length = ragged_length(at_, row.length);
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(capacity_ - kept, length - in_row_));
    std::uint8_t valid[block_values];
    mark_valid({.first = row.data + in_row_ * item_.raw.record_bytes, .stride = item_.raw.record_bytes}, n, valid);
    for (std::size_t i = 0; i < n; ++i, ++in_row_) {
      const auto record = at_ * records_ + in_row_;
      each_[kept] = row.data + in_row_ * item_.raw.record_bytes;
      index_[kept] = record;
      kept += valid[i] != 0 && valid_outside(record) ? 1 : 0;
    }
    if (in_row_ == length) {
      ++at_;
      in_row_ = 0;
    }
  }
  block = Block{.records = {.each = each_.data()}, .n = kept, .index = index_.data()};
  return kept > 0;
}

}  // namespace headrace::transform
