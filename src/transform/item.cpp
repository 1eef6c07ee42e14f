#include "transform/item.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "transform/bad_value.hpp"
#include "transform/encode.hpp"
#include "transform/make_column.hpp"
#include "transform/numbers/cast_or_throw.hpp"

namespace headrace::transform {
namespace {

constexpr std::size_t words_bytes = block_values * 8;
constexpr std::uint64_t rows_bytes = 1 << 16;  // of rows that are filled and then written

/// Records at once: their raw bytes are read once per column, and should stay in the second-level cache.
std::size_t capacity_for(const ItemSpec& item, std::size_t piece) {
  const std::uint64_t by_output = words_bytes / piece;
  const std::uint64_t by_input =
      item.columns.size() > 1 ? (1 << 18) / std::max<std::uint64_t>(item.raw.record_bytes, 1) : block_values;
  const auto least = std::min(by_output, std::max<std::uint64_t>(by_input, 64));
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(least, 1, block_values));
}

/// The raw bytes of such a column are its values.
bool is_as_wanted(const ColumnSpec& column, DType to) {
  constexpr bool native_big = std::endian::native == std::endian::big;
  return is_copy(column, to) && column.cell.dtype != DType::boolean && !column.cell.timeval &&
         (size_of(to) == 1 || column.cell.big_endian == native_big);
}

}  // namespace

Item::Item(const FieldSpec& field, const ItemSpec& spec) : spec_(spec), labels_(field.labels) {
  const auto size = size_of(field.dtype);
  piece_ = labels_ && field.one_hot ? labels_->size() * size : size;
  target_ = Target{.dtype = field.dtype,
                   .size = size,
                   .records = field.records,
                   .record_bytes = field.columns * size,
                   .offset = spec.first_column * size,
                   .bytes = std::max<std::uint64_t>(spec.columns.size(), 1) * piece_,
                   .repeated = spec.repeated,
                   .overflow = field.overflow,
                   .truncate = field.truncate,
                   .fill = Fill(field.fill, field.dtype)};
  EXPECTS(target_.offset + target_.bytes <= target_.record_bytes);
  capacity_ = capacity_for(spec_, piece_);
  if (spec_.constant) {
    prepare_constant();
    return;
  }
  if (spec_.plugin) {
    stage_ = make_plugin_stage(spec_, target_);
    return;
  }
  for (const auto& column : spec_.columns)
    columns_.push_back(labels_ ? make_labels(column.cell, labels_, field.one_hot, field.dtype)
                               : make_column(column, field.dtype, field.overflow));
  flat_ = flat();
  copied_ = copied();
  if (!labels_ && !flat_ && !copied_) scaled_ = make_scaled_columns(spec_.columns, field.dtype);
  if (scaled_) capacity_ = std::min(capacity_, std::max<std::size_t>(block_values / spec_.columns.size(), 1));
}

void Item::prepare_constant() {
  double value = *spec_.constant;
  try {
    numbers::cast_or_throw(&value, 1, target_.dtype, numbers::Overflow::error, constant_);
  } catch (const numbers::BadElement& bad) {
    throw UsageError(std::string("missing: ") + bad.what());
  }
}

/// All values of all rows stand one after another, here as there, and the same happens to each.
bool Item::flat() const {
  if (labels_ || spec_.repeated || spec_.raw.ragged || spec_.valid.from == ValidSpec::From::record) return false;
  if (spec_.columns.empty() || target_.bytes != target_.record_bytes || spec_.raw.records != target_.records)
    return false;
  const auto size = size_of(spec_.columns[0].cell.dtype);
  std::uint64_t offset = 0;
  for (auto column : spec_.columns) {
    if (column.cell.offset != offset) return false;
    column.cell.offset = 0;
    column.name = spec_.columns[0].name;
    if (column != spec_.columns[0]) return false;
    offset += size;
  }
  return offset == spec_.raw.record_bytes;
}

bool Item::identity() const {
  return flat_ && spec_.valid.from == ValidSpec::From::nowhere && is_as_wanted(spec_.columns[0], target_.dtype);
}

/// The bytes of a record's values stand one after another in its raw record, as members of one kind do.
bool Item::copied() const {
  constexpr std::uint64_t least = 16;  // bytes of a record that are worth a call
  if (labels_ || spec_.repeated || spec_.columns.size() * target_.size < least) return false;
  auto offset = spec_.columns[0].cell.offset;
  for (const auto& column : spec_.columns) {
    if (!is_as_wanted(column, target_.dtype) || column.cell.offset != offset) return false;
    offset += target_.size;
  }
  return true;
}

bool Item::may_be_invalid(const std::byte* valid) const {
  return valid != nullptr || spec_.raw.ragged || spec_.valid.from == ValidSpec::From::record;
}

void Item::apply(const std::byte* raw, std::uint64_t rows, const std::byte* valid, std::byte* out) const {
  if (spec_.constant) return fill(rows, out);
  if (flat_ && valid == nullptr) return apply_flat(raw, rows, out);
  const bool gaps = may_be_invalid(valid);
  if (!gaps && !stage_) return apply_rows({raw, 0, rows, nullptr}, out);
  const auto step = std::max<std::uint64_t>(rows_bytes / std::max<std::uint64_t>(target_.row_bytes(), 1), 1);
  for (std::uint64_t row = 0; row < rows; row += step) {
    const RecordWalk::Rows part{raw, row, std::min(rows, row + step), valid};
    if (gaps) clear(target_, part.begin * target_.records, (part.end - part.begin) * target_.records, out);
    if (stage_)
      stage_->apply(part, out);
    else
      apply_rows(part, out);
  }
}

void Item::apply_rows(const RecordWalk::Rows& rows, std::byte* out) const {
  RecordWalk walk(spec_, target_.records, target_.truncate, rows, capacity_);
  for (Block block; walk.next(block);) finish(block, rows.valid, out);
}

void Item::apply_flat(const std::byte* raw, std::uint64_t rows, std::byte* out) const {
  const auto in_size = size_of(spec_.columns[0].cell.dtype);
  const auto total = rows * target_.row_bytes() / target_.size;
  for (std::uint64_t done = 0; done < total; done += block_values) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(block_values, total - done));
    try {
      columns_[0]->finish({.first = raw + done * in_size, .stride = in_size}, n, out + done * target_.size);
    } catch (const numbers::BadElement& bad) {
      const auto at = done + bad.index, columns = static_cast<std::uint64_t>(columns_.size()), record = at / columns;
      throw BadValue(record / target_.records, record % target_.records, spec_.columns[at % columns].name, bad.what());
    }
  }
}

bool Item::finish_at_once(const Block& block, const std::byte* valid, std::byte* out) const {
  alignas(64) std::byte buffer[words_bytes];
  const bool direct = target_.bytes == target_.record_bytes && block.index == nullptr && !target_.repeated;
  if (!scaled_->finish(block.records, block.n, direct ? out + block.first * target_.bytes : buffer)) return false;
  if (!direct) place(target_, buffer, target_.bytes, block, 0, valid, out);
  return true;
}

void Item::copy(const Block& block, std::byte* out) const {
  out += target_.offset;
  const auto from = spec_.columns[0].cell.offset;
  for (std::size_t i = 0; i < block.n; ++i)
    std::memcpy(out + block[i] * target_.record_bytes, block.records[i] + from, target_.bytes);
}

void Item::finish(const Block& block, const std::byte* valid, std::byte* out) const {
  if (copied_) return copy(block, out);
  if (scaled_ && finish_at_once(block, valid, out)) return;
  alignas(64) std::byte words[words_bytes];
  std::vector<std::byte> more(piece_ > words_bytes ? piece_ : 0);  // one-hot among very many classes
  std::byte* const buffer = more.empty() ? words : more.data();
  const bool direct = piece_ == target_.record_bytes && block.index == nullptr && !target_.repeated;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    try {
      columns_[c]->finish(block.records, block.n, direct ? out + block.first * piece_ : buffer);
    } catch (const numbers::BadElement& bad) {
      throw_bad_value(target_, block, bad.index, spec_.columns[c].name, bad.what());
    }
    if (!direct) place(target_, buffer, piece_, block, c * piece_, valid, out);
  }
}

bool Item::is_valid(const Block& single) const {
  std::uint8_t valid = 1;
  if (spec_.valid.from == ValidSpec::From::record) load_nonzero(spec_.valid.cell, single.records, 1, &valid);
  return valid != 0;
}

void Item::apply_record(const std::byte* raw, std::uint64_t record, std::byte* out) const {
  EXPECTS(!spec_.repeated && record < target_.records);
  const Block block{.records = {.first = raw, .stride = 0}, .n = 1, .first = record};
  if (!is_valid(block)) return clear(target_, record, 1, out);
  if (spec_.constant)
    place(target_, constant_, target_.size, block, 0, nullptr, out);
  else if (stage_)
    stage_->apply_record(raw, record, out);
  else
    finish(block, nullptr, out);
}

void Item::fill(std::uint64_t rows, std::byte* out) const {
  EXPECTS(spec_.constant.has_value());
  for (std::uint64_t r = 0; r < rows * target_.records; ++r)
    for (std::uint64_t column = 0; column < target_.bytes; column += target_.size)
      std::memcpy(out + r * target_.record_bytes + target_.offset + column, constant_, target_.size);
}

void Item::validity(const std::byte* raw, std::uint64_t rows, std::byte* valid) const {
  const auto n = rows * target_.records;
  if (spec_.constant || !may_be_invalid(nullptr)) {
    std::fill(valid, valid + n, std::byte{1});
    return;
  }
  std::fill(valid, valid + n, std::byte{0});
  const auto copies = spec_.repeated ? target_.records : 1;
  RecordWalk walk(spec_, target_.records, target_.truncate, {raw, 0, rows, nullptr}, block_values);
  for (Block block; walk.next(block);)
    for (std::size_t i = 0; i < block.n; ++i) std::fill_n(valid + block[i] * copies, copies, std::byte{1});
}

void Item::prepare(ItemStatistics& statistics) const {
  if (labels_ == nullptr && statistics.columns.size() < spec_.columns.size())
    statistics.columns.resize(spec_.columns.size());
}

void Item::measure(const std::byte* raw, std::uint64_t rows, const std::byte* valid, ItemStatistics& statistics) const {
  if (spec_.constant) return;
  prepare(statistics);
  const auto step = stage_ ? std::max<std::uint64_t>(rows_bytes / std::max<std::uint64_t>(target_.row_bytes(), 1), 1)
                           : std::max<std::uint64_t>(rows, 1);
  for (std::uint64_t row = 0; row < rows; row += step) {
    const RecordWalk::Rows part{raw, row, std::min(rows, row + step), valid};
    if (stage_) {
      stage_->measure(part, statistics);
      continue;
    }
    RecordWalk walk(spec_, target_.records, target_.truncate, part, block_values);
    for (Block block; walk.next(block);) measure(block, statistics);
  }
}

void Item::measure_record(const std::byte* raw, std::uint64_t record, ItemStatistics& statistics) const {
  const Block block{.records = {.first = raw, .stride = 0}, .n = 1, .first = record};
  if (spec_.constant || !is_valid(block)) return;
  prepare(statistics);
  if (stage_)
    stage_->measure_record(raw, record, statistics);
  else
    measure(block, statistics);
}

void Item::measure(const Block& block, ItemStatistics& statistics) const {
  if (labels_) return count_labels(spec_.columns[0].cell, block.records, block.n, statistics.labels);
  double values[block_values];
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    try {
      columns_[c]->measure(block.records, block.n, values);
    } catch (const numbers::BadElement& bad) {
      throw_bad_value(target_, block, bad.index, spec_.columns[c].name, bad.what());
    }
    add_finite(values, block.n, statistics.columns[c]);
  }
}

}  // namespace headrace::transform
