// Fields and raw rows drawn at random, for tests by property.
#pragma once

#include "field_reference.hpp"

namespace reference {

using Random = std::mt19937_64;
inline std::uint64_t below(Random& random, std::uint64_t n) {
  return random() % n;
}
inline bool one_in(Random& random, std::uint64_t n) {
  return below(random, n) == 0;
}

constexpr DType all_types[] = {DType::boolean,  DType::int8,    DType::int16,  DType::int32,  DType::int64,
                               DType::uint8,    DType::uint16,  DType::uint32, DType::uint64, DType::float16,
                               DType::bfloat16, DType::float32, DType::float64};
inline DType any_type(Random& random) {
  return all_types[below(random, std::size(all_types))];
}

inline ColumnSpec any_column(Random& random, DType type, bool arithmetic) {
  ColumnSpec column;
  column.cell = {.dtype = type, .big_endian = one_in(random, 2), .bytes = size_of(type)};
  const auto pick = below(random, 3);
  column.nonfinite = {pick == 0   ? Nonfinite::Kind::error
                      : pick == 1 ? Nonfinite::Kind::keep
                                  : Nonfinite::Kind::replace,
                      static_cast<double>(below(random, 9)) - 4};
  if (!arithmetic) return column;
  if (one_in(random, 4))
    column.cf = CfDecoding{.fill_values = {7, -1},
                           .scale_factor = 0.25,
                           .add_offset = 1.5,
                           .scaled = one_in(random, 2),
                           .dtype = one_in(random, 2) ? DType::float32 : DType::float64};
  column.log = one_in(random, 8);
  column.tanh_log = one_in(random, 4);
  column.scaled = !one_in(random, 3);
  column.shift = static_cast<double>(below(random, 100)) / 7 - 5;
  column.scale = static_cast<double>(below(random, 100) + 1) / 9;
  return column;
}

/// Columns with gaps before, between and after them, or without.
inline ItemSpec any_item(Random& random, std::uint64_t records, std::uint32_t columns, bool alike) {
  ItemSpec item;
  const bool gaps = !alike && one_in(random, 2), arithmetic = !one_in(random, 3);
  std::uint64_t offset = gaps ? below(random, 4) : 0;
  const auto type = any_type(random);
  auto column = any_column(random, type, arithmetic);
  for (std::uint32_t c = 0; c < columns; ++c) {
    if (!alike) column = any_column(random, any_type(random), arithmetic);
    column.name = std::string(1, static_cast<char>('a' + c));
    column.cell.offset = offset;
    offset += column.cell.bytes + (gaps ? below(random, 3) : 0);
    item.columns.push_back(column);
  }
  item.raw = {.records = records, .record_bytes = offset};
  return item;
}

inline void give_validity(Random& random, ItemSpec& item) {
  switch (below(random, 4)) {
    case 0:
      item.valid = {ValidSpec::From::record,
                    {.dtype = one_in(random, 2) ? DType::uint8 : DType::float32, .offset = item.raw.record_bytes}};
      item.raw.record_bytes += 4;
      break;
    case 1:
      item.valid.from = ValidSpec::From::outside;
      break;
    case 2:
      item.raw.ragged = true;
      item.valid.from = ValidSpec::From::length;
      break;
    default:
      break;
  }
}

inline FieldSpec any_field(Random& random) {
  FieldSpec field;
  field.name = "f";
  field.records = one_in(random, 3) ? 1 : 1 + below(random, 40);
  field.columns = 0;
  field.dtype = any_type(random);
  field.overflow = one_in(random, 3) ? static_cast<Overflow>(below(random, 4)) : Overflow::truncate_saturate;
  field.truncate = one_in(random, 2);
  const bool any_number = is_float(field.dtype) || is_signed(field.dtype);
  field.fill = one_in(random, 3) ? 0 : one_in(random, 2) || !any_number ? 1 : is_float(field.dtype) ? 0.1 : -1;
  const auto items = 1 + below(random, 3);
  for (std::uint64_t i = 0; i < items; ++i) {
    const bool repeated = one_in(random, 4);
    auto item = any_item(random, repeated ? 1 : field.records, 1 + static_cast<std::uint32_t>(below(random, 4)),
                         one_in(random, 2));
    item.repeated = repeated;
    if (!repeated && one_in(random, 2)) give_validity(random, item);
    if (repeated && one_in(random, 2)) item.valid.from = ValidSpec::From::outside;
    item.first_column = field.columns;
    field.columns += static_cast<std::uint32_t>(item.columns.size());
    field.items.push_back(item);
  }
  return field;
}

/// Bits that are mostly of harmless values, and sometimes of any.
inline void write_value(Random& random, const Cell& cell, std::byte* record, bool wild) {
  std::uint64_t bits = random();
  const auto size = size_of(cell.dtype);
  if (!wild || !one_in(random, 20)) {
    const double small = static_cast<double>(below(random, 90) + 1) / (one_in(random, 2) ? 1 : 8);
    if (cell.dtype == DType::float64)
      bits = std::bit_cast<std::uint64_t>(small);
    else if (cell.dtype == DType::float32)
      bits = std::bit_cast<std::uint32_t>(static_cast<float>(small));
    else if (cell.dtype == DType::bfloat16)
      bits = std::bit_cast<std::uint32_t>(static_cast<float>(small)) >> 16;
    else if (cell.dtype == DType::float16)
      bits = 0x3c00 + below(random, 0x1000);
    else
      bits = below(random, 100);
  }
  std::byte bytes[8];
  std::memcpy(bytes, &bits, 8);
  if (cell.big_endian) std::reverse(bytes, bytes + size);
  std::memcpy(record + cell.offset, bytes, size);
}

/// Raw rows of an item at an odd address, and the memory that ragged rows point at.
struct RawItem {
  Bytes memory;
  std::deque<Bytes> ragged;
  Bytes outside;                                      ///< valid, where it comes from outside
  std::vector<std::vector<const std::byte*>> record;  ///< per row and record of the field: null where not valid
  bool too_long = false;
  const std::byte* raw() const { return memory.data() + 1; }
  const std::byte* valid() const { return outside.empty() ? nullptr : outside.data(); }
};

/// Noise, in which NaN of both kinds abound.
inline void garbage(Random& random, std::byte* record, std::uint64_t bytes) {
  for (std::uint64_t b = 0; b < bytes; ++b)
    record[b] = static_cast<std::byte>(one_in(random, 2) ? 0xff : one_in(random, 2) ? 0x7f : random());
}

inline void write_record(Random& random, const ItemSpec& item, std::byte* record, bool valid, bool wild) {
  garbage(random, record, item.raw.record_bytes);
  if (valid)
    for (const auto& column : item.columns) write_value(random, column.cell, record, wild);
  if (item.valid.from == ValidSpec::From::record)
    std::memset(record + item.valid.cell.offset, valid ? 0x11 : 0, item.valid.cell.dtype == DType::uint8 ? 1 : 4);
}

inline RawItem any_rows(Random& random, const FieldSpec& field, const ItemSpec& item, std::uint64_t rows, bool wild) {
  RawItem result;
  result.memory.resize(rows * item.raw.row_bytes() + 1);
  result.record.assign(rows, std::vector<const std::byte*>(field.records, nullptr));
  const bool outside = item.valid.from == ValidSpec::From::outside;
  if (outside) result.outside.resize(rows * field.records);
  for (std::uint64_t row = 0; row < rows; ++row) {
    std::byte* at = result.memory.data() + 1 + row * item.raw.row_bytes();
    std::uint64_t length = item.repeated ? 1 : field.records;
    if (item.raw.ragged) {
      length = below(random, field.records + (field.truncate || one_in(random, 50) ? 3 : 1));
      result.too_long |= length > field.records && !field.truncate;
      result.ragged.emplace_back(length * item.raw.record_bytes);
      const Ragged header{length, result.ragged.back().data()};
      std::memcpy(at, &header, sizeof(header));
      at = result.ragged.back().data();
    }
    bool any = false;
    for (std::uint64_t r = 0; r < field.records; ++r) {
      const bool valid = !(outside || item.valid.from == ValidSpec::From::record) || !one_in(random, 3);
      if (outside) result.outside[row * field.records + r] = std::byte{valid};
      any |= valid;
      if (valid && (item.repeated || r < length))
        result.record[row][r] = item.repeated ? at : at + r * item.raw.record_bytes;
      if (!item.repeated && r < length) write_record(random, item, at + r * item.raw.record_bytes, valid, wild);
    }
    for (auto r = field.records; r < length; ++r)
      write_record(random, item, at + r * item.raw.record_bytes, true, wild);
    if (item.repeated) write_record(random, item, at, any, wild);
  }
  return result;
}

}  // namespace reference
