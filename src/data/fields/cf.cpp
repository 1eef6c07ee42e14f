#include "data/fields/cf.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace headrace::data::fields {

namespace {

bool is_float(DType type) {
  return type == DType::float16 || type == DType::bfloat16 || type == DType::float32 || type == DType::float64;
}

/// The integer type of the same size that _Unsigned asks for, if it is another.
std::optional<DType> reread(DType type, bool is_unsigned) {
  constexpr DType pairs[][2] = {{DType::int8, DType::uint8},
                                {DType::int16, DType::uint16},
                                {DType::int32, DType::uint32},
                                {DType::int64, DType::uint64}};
  for (const auto& pair : pairs)
    if (type == pair[is_unsigned ? 0 : 1]) return pair[is_unsigned ? 1 : 0];
  return std::nullopt;
}

/// A fill value of one signedness, in the other: of up to 32 bits.
double reread(double value, DType to, bool is_unsigned) {
  const double range = std::ldexp(1.0, static_cast<int>(size_of(to) * 8));
  if (is_unsigned) return value < 0 ? value + range : value;
  return value >= range / 2 ? value - range : value;
}

/// Integers of 64 bits are compared as they stand, so that none is taken for a neighbour that the same double is.
void add_fills(const columns::CfAttributes& attributes, DType raw, transform::CfDecoding& decoding) {
  const auto reread_whole = [&](Whole fill) {
    return raw == DType::uint64 ? Whole(fill.bits()) : Whole(static_cast<std::int64_t>(fill.bits()));
  };
  for (const double fill : attributes.fill_values) {
    if (std::isnan(fill)) continue;
    const auto whole = Whole::of(fill);
    if (!decoding.read_as)
      decoding.fill_values.push_back(fill);
    else if (size_of(raw) < 8)
      decoding.fill_values.push_back(reread(fill, raw, *attributes.is_unsigned));
    else if (whole)
      decoding.whole_fills.push_back(reread_whole(*whole));
  }
  for (const auto fill : attributes.whole_fills)
    decoding.whole_fills.push_back(decoding.read_as && size_of(raw) == 8 ? reread_whole(fill) : fill);
}

DType packed_dtype(DType raw, const columns::CfAttributes& attributes) {
  const auto& factor = attributes.scale_factor;
  const auto& offset = attributes.add_offset;
  const auto wide = [](DType type) { return type == DType::float32 ? DType::float32 : DType::float64; };
  if (factor && offset && factor->dtype == offset->dtype &&
      (factor->dtype == DType::float32 || factor->dtype == DType::float64)) {
    const bool integer32 = size_of(raw) == 4 && !is_float(raw);
    return integer32 ? DType::float64 : factor->dtype;
  }
  return offset ? DType::float64 : wide(factor->dtype);
}

DType filled_dtype(DType raw) {
  if (is_float(raw)) return raw == DType::float64 ? DType::float64 : DType::float32;
  return size_of(raw) <= 2 ? DType::float32 : DType::float64;
}

}  // namespace

bool decodes_cf(const columns::CfAttributes& attributes, config::CfMode mode) {
  if (mode == config::CfMode::off) return false;
  if (mode == config::CfMode::on || attributes.conventions) return true;
  return attributes.plain || (attributes.netcdf && attributes.any());
}

std::string packing_text(const columns::CfAttributes& attributes) {
  std::vector<std::string> all;
  if (attributes.scale_factor) all.push_back(fmt::format("scale_factor {}", attributes.scale_factor->value));
  if (attributes.add_offset) all.push_back(fmt::format("add_offset {}", attributes.add_offset->value));
  for (const auto fill : attributes.fill_values)
    if (!std::isnan(fill)) all.push_back(fmt::format("fill value {}", fill));
  for (const auto fill : attributes.whole_fills) all.push_back("fill value " + fill.text());
  if (attributes.is_unsigned) all.push_back(*attributes.is_unsigned ? "_Unsigned" : "_Unsigned = false");
  if (!attributes.odd.empty()) all.push_back(attributes.odd + ", which is no single number");
  return fmt::format("{}", fmt::join(all, ", "));
}

std::string left_packed(const columns::RawDataset& dataset, config::CfMode mode) {
  const auto left = [&](const columns::CfAttributes& attributes) {
    const auto text = packing_text(attributes);
    if (text.empty() || (decodes_cf(attributes, mode) && attributes.odd.empty())) return std::string();
    const auto why = mode == config::CfMode::off ? "cf = off"
                     : !attributes.odd.empty()   ? "one number is expected"
                     : attributes.named.empty()
                         ? "no Conventions say that they are meant; cf = \"on\" decodes"
                         : "Conventions = '" + attributes.named + "' is none that means them; cf = \"on\" decodes";
    return fmt::format("dataset '{}' is delivered as stored, with {} ({})", dataset.path, text, why);
  };
  for (const auto& attributes : dataset.cf_of_file)
    if (auto text = left(attributes); !text.empty()) return text;
  return dataset.cf_of_file.empty() ? left(dataset.cf) : "";
}

std::optional<transform::CfDecoding> cf_decoding(const columns::CfAttributes& attributes, transform::Cell& cell) {
  if (cell.kind != transform::CellKind::number || cell.dtype == DType::boolean) return std::nullopt;
  transform::CfDecoding decoding;
  auto raw = cell.dtype;
  if (attributes.is_unsigned)
    if (const auto other = reread(raw, *attributes.is_unsigned)) decoding.read_as = raw = *other;
  add_fills(attributes, raw, decoding);
  decoding.scaled = attributes.scale_factor || attributes.add_offset;
  if (!decoding.scaled && decoding.fill_values.empty() && decoding.whole_fills.empty()) {
    cell.dtype = raw;
    return std::nullopt;
  }
  if (attributes.scale_factor) decoding.scale_factor = attributes.scale_factor->value;
  if (attributes.add_offset) decoding.add_offset = attributes.add_offset->value;
  decoding.dtype = decoding.scaled ? packed_dtype(raw, attributes) : filled_dtype(raw);
  return decoding;
}

Packings packings_of(const columns::RawDataset& dataset, config::CfMode mode, const columns::ItemColumn& column) {
  Packings all;
  const auto add = [&](const columns::CfAttributes& attributes, const transform::Cell& cell, bool absent) {
    auto& made = all.emplace_back(Packing{cell, {}, absent});
    if (!absent && decodes_cf(attributes, mode)) made.cf = cf_decoding(attributes, made.cell);
  };
  const auto files = std::max(dataset.cf_of_file.size(), column.in_file.size());
  for (std::size_t f = 0; f < files; ++f) {
    const auto& attributes = dataset.cf_of_file.empty() ? dataset.cf : dataset.cf_of_file[f];
    if (column.in_file.empty())
      add(attributes, column.cell, false);
    else
      add(attributes, column.in_file[f].cell, column.in_file[f].type == nullptr);
    if (!column.in_file.empty() && column.in_file[f].pad) all.back().pad = *column.in_file[f].pad;
  }
  if (all.empty()) add(dataset.cf, column.cell, false);
  // Files may say different things that come to the same.
  if (std::all_of(all.begin(), all.end(), [&](const auto& one) { return one == all[0]; })) all.resize(1);
  return all;
}

const Packing& first_of(const Packings& packings) {
  const auto at = std::find_if(packings.begin(), packings.end(), [](const Packing& one) { return !one.absent; });
  return at == packings.end() ? packings.front() : *at;
}

DType type_over_files(const transform::ColumnSpec& column, const Packings& packings,
                      const std::function<DType(const transform::ColumnSpec&)>& type_of) {
  auto common = type_of(column);
  auto in_file = column;
  for (const auto& packing : packings) {
    if (packing.absent) continue;
    in_file.cell = packing.cell;
    in_file.cf = packing.cf;
    common = transform::result_type(common, type_of(in_file));
  }
  return common;
}

}  // namespace headrace::data::fields
