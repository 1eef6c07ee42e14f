#include "formats/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "formats/strided.hpp"
#include "transform/numbers/cast_or_throw.hpp"
#include "transform/numbers/half.hpp"

namespace headrace::formats {

namespace {

namespace numbers = transform::numbers;

constexpr std::size_t at_a_time = 256;
constexpr std::size_t cached_bytes = 64 << 10;  // of rows that are made at a time

template <class Stored, class Wide>
void widen(const std::byte* from, std::size_t n, Wide* to) {
  for (std::size_t i = 0; i < n; ++i) {
    Stored value;
    std::memcpy(&value, from + i * sizeof value, sizeof value);
    to[i] = static_cast<Wide>(value);
  }
}

template <class Wide>
void cast(Wide* values, std::size_t n, DType to, std::size_t done, std::byte* out) {
  try {
    numbers::cast_or_throw(values, n, to, numbers::Overflow::error, out);
  } catch (const numbers::BadElement& bad) {
    throw numbers::BadElement(done + bad.index, bad.what());
  }
}

template <class Stored, class Wide>
void convert_as(const std::byte* from, std::size_t n, DType to, std::byte* out) {
  std::array<Wide, at_a_time> wide;
  for (std::size_t done = 0; done < n; done += at_a_time) {
    const auto some = std::min(at_a_time, n - done);
    widen<Stored>(from + done * sizeof(Stored), some, wide.data());
    cast(wide.data(), some, to, done, out + done * size_of(to));
  }
}

void convert_half(const std::byte* from, bool brain, std::size_t n, DType to, std::byte* out) {
  std::array<std::uint16_t, at_a_time> bits;
  std::array<float, at_a_time> wide;
  for (std::size_t done = 0; done < n; done += at_a_time) {
    const auto some = std::min(at_a_time, n - done);
    std::memcpy(bits.data(), from + done * 2, some * 2);
    brain ? numbers::bfloat_to_float(bits.data(), some, wide.data())
          : numbers::half_to_float(bits.data(), some, wide.data());
    cast(wide.data(), some, to, done, out + done * size_of(to));
  }
}

/// The class that a label tells, one value for each: none where all are 0, as of a sample that is not valid.
std::int64_t place_of_greatest(const Part& part, const std::byte* values) {
  std::vector<double> wide(part.run);
  convert(values, part.from, part.run, DType::float64, reinterpret_cast<std::byte*>(wide.data()));
  const auto place = std::max_element(wide.begin(), wide.end()) - wide.begin();
  const auto greatest = wide[static_cast<std::size_t>(place)];
  const auto less = std::count_if(wide.begin(), wide.end(), [&](double value) { return value < greatest; });
  if (less + 1 == static_cast<std::ptrdiff_t>(part.run) && (part.run > 1 || greatest > 0)) return place;
  throw numbers::BadElement(
      0, fmt::format("no label (none of its {} values is greater than all others, as all 0 where a sample is not "
                     "valid); leave such samples out (where), or let the field hold encode = \"index\" and a fill",
                     part.run));
}

template <class Bits>
void zero_above(std::byte* values, std::size_t n, Bits infinity) {
  constexpr Bits sign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
  for (std::size_t i = 0; i < n; ++i) {
    Bits bits;
    std::memcpy(&bits, values + i * sizeof bits, sizeof bits);
    if ((bits & static_cast<Bits>(~sign)) > infinity) std::memset(values + i * sizeof bits, 0, sizeof bits);
  }
}

void zero_nan(std::byte* values, DType type, std::size_t n) {
  if (type == DType::float16) return zero_above<std::uint16_t>(values, n, 0x7c00);
  if (type == DType::float32) return zero_above<std::uint32_t>(values, n, 0x7f800000);
  if (type == DType::float64) return zero_above<std::uint64_t>(values, n, 0x7ff0000000000000);
}

/// One value of each record.
void put_one(const Part& part, const std::byte* values, std::byte* to) {
  const std::int64_t value = part.how == How::one ? 1 : place_of_greatest(part, values);
  convert(reinterpret_cast<const std::byte*>(&value), DType::int64, 1, part.to, to);
}

/// The same, which tells the element where it fails.
void put_one_of(std::size_t element, const Part& part, const std::byte* values, std::byte* to) {
  try {
    put_one(part, values, to);
  } catch (const numbers::BadElement& bad) {
    throw numbers::BadElement(element, bad.what());
  }
}

/// Some rows of a table, which become bytes part by part; so few that they stay in the cache meanwhile.
class Rows {
 public:
  Rows(const Table& table, const Schema& schema)
      : table_(table), schema_(schema), record_(table.dataset.row_bytes() / std::max<std::uint64_t>(1, table.records)) {}

  /// The part of rows of a field; `offset`: where it begins in each record.
  void put(const Part& part, std::size_t rows, const std::byte* field, std::byte* out, std::size_t offset) {
    const auto in = size_of(part.from), source = schema_[part.field].row_bytes();
    if (part.how == How::argmax || part.how == How::one) {
      for (std::size_t i = 0; i < rows; ++i)
        for (std::uint64_t r = 0; r < table_.records; ++r)
          put_one_of((i * table_.records + r) * part.run, part, field + i * source + (part.first + r * part.stride) * in,
                  out + (i * table_.records + r) * record_ + offset);
      return;
    }
    const std::size_t records = rows * table_.records, values = records * part.run;
    const auto made = part.run * size_of(part.to);
    if (part.from == part.to && part.how == How::values)
      return gather(part, rows, field, out + offset, record_);
    const std::byte* plain = field;
    const bool whole = table_.records * part.run * in == source && (table_.records == 1 || part.stride == part.run);
    if (!whole) {
      gathered_.resize(values * in);
      gather(part, rows, field, gathered_.data(), part.run * in);
      plain = gathered_.data();
    }
    auto* to = out;
    if (made != record_) {
      converted_.resize(values * size_of(part.to));
      to = converted_.data();
    }
    convert(plain, part.from, values, part.to, to);
    if (part.how == How::zero_nan) zero_nan(to, part.to, values);
    if (to != out) copy_strided(to, made, out + offset, record_, records, made);
  }

 private:
  /// The values as they are, a run each `step` bytes.
  void gather(const Part& part, std::size_t rows, const std::byte* field, std::byte* to, std::size_t step) const {
    const auto in = size_of(part.from), source = schema_[part.field].row_bytes();
    const auto records = table_.records, between = part.stride * in;
    const auto* from = field + part.first * in;
    if (records == 1) return copy_strided(from, source, to, step, rows, part.run * in);
    if (records * between == source) return copy_strided(from, between, to, step, rows * records, part.run * in);
    for (std::size_t i = 0; i < rows; ++i)
      copy_strided(from + i * source, between, to + i * records * step, step, records, part.run * in);
  }

  const Table& table_;
  const Schema& schema_;
  const std::size_t record_;
  std::vector<std::byte> gathered_, converted_;
};

}  // namespace

void convert(const std::byte* from, DType type, std::size_t n, DType to, std::byte* out) {
  if (type == to) {
    if (n > 0) std::memcpy(out, from, n * size_of(to));
    return;
  }
  switch (type) {
    case DType::boolean:
    case DType::uint8:
      return convert_as<std::uint8_t, std::int64_t>(from, n, to, out);
    case DType::int8:
      return convert_as<std::int8_t, std::int64_t>(from, n, to, out);
    case DType::int16:
      return convert_as<std::int16_t, std::int64_t>(from, n, to, out);
    case DType::int32:
      return convert_as<std::int32_t, std::int64_t>(from, n, to, out);
    case DType::int64:
      return convert_as<std::int64_t, std::int64_t>(from, n, to, out);
    case DType::uint16:
      return convert_as<std::uint16_t, std::int64_t>(from, n, to, out);
    case DType::uint32:
      return convert_as<std::uint32_t, std::int64_t>(from, n, to, out);
    case DType::uint64:
      return convert_as<std::uint64_t, std::uint64_t>(from, n, to, out);
    case DType::float16:
      return convert_half(from, false, n, to, out);
    case DType::bfloat16:
      return convert_half(from, true, n, to, out);
    case DType::float32:
      return convert_as<float, float>(from, n, to, out);
    case DType::float64:
      return convert_as<double, double>(from, n, to, out);
  }
}

bool Table::is_copy() const {
  return parts.size() == 1 && records == 1 && parts[0].how == How::values && parts[0].from == parts[0].to &&
         parts[0].first == 0 && parts[0].run == parts[0].stride &&
         parts[0].run * size_of(parts[0].to) == dataset.row_bytes();
}

Table table_of(const Schema& schema, std::size_t field, const std::string& path, std::uint64_t rows,
               std::optional<DType> to) {
  const auto& source = schema[field];
  Table table;
  table.dataset = {.path = path, .dtype = to.value_or(source.dtype), .dims = {rows}};
  table.dataset.dims.insert(table.dataset.dims.end(), source.shape.begin(), source.shape.end());
  table.parts = {{field, source.dtype, table.dataset.dtype, 0, source.elements(), source.elements()}};
  return table;
}

void assemble(const Table& table, const Schema& schema, std::uint64_t first_row, std::size_t rows,
              std::span<const std::byte* const> fields, std::byte* out) {
  const auto row = table.dataset.row_bytes();
  const auto some = std::max<std::size_t>(1, cached_bytes / std::max<std::size_t>(1, row));
  Rows part_of(table, schema);
  for (std::size_t done = 0; done < rows; done += some) {
    std::size_t offset = 0;
    for (const auto& part : table.parts) {
      try {
        part_of.put(part, std::min(some, rows - done), fields[part.field] + done * schema[part.field].row_bytes(),
                    out + done * row, offset);
      } catch (const numbers::BadElement& bad) {
        const auto at = first_row + done + bad.index / std::max<std::uint64_t>(1, part.run * table.records);
        throw Error(fmt::format("dataset {}, row {}: field {} holds {}", table.dataset.path, at,
                                schema[part.field].name, bad.what()));
      }
      offset += part.made() * size_of(part.to);
    }
  }
}

}  // namespace headrace::formats
