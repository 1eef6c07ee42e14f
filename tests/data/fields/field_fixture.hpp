// Datasets to resolve fields against, made without files.
#pragma once

#include "config/config_fixture.hpp"
#include "data/fields/resolve.hpp"

namespace headrace::data::fields {

using namespace headrace::config;
using namespace headrace::data::columns;

inline h5::TypeInfo number_type(h5::Kind kind, std::uint64_t size, bool is_signed = true) {
  return {.kind = kind, .size = size, .is_signed = is_signed};
}
inline h5::TypeInfo f32() {
  return number_type(h5::Kind::floating, 4);
}
inline h5::TypeInfo f64() {
  return number_type(h5::Kind::floating, 8);
}
inline h5::TypeInfo i16() {
  return number_type(h5::Kind::integer, 2);
}
inline h5::TypeInfo i32() {
  return number_type(h5::Kind::integer, 4);
}
inline h5::TypeInfo i64() {
  return number_type(h5::Kind::integer, 8);
}
inline h5::TypeInfo u8() {
  return number_type(h5::Kind::integer, 1, false);
}
inline h5::TypeInfo boolean() {
  auto type = number_type(h5::Kind::enum_bool, 1);
  type.labels = {{"FALSE", 0}, {"TRUE", 1}};
  return type;
}
inline h5::TypeInfo text(std::uint64_t size) {
  return {.kind = h5::Kind::string, .size = size};
}
inline h5::TypeInfo array(const h5::TypeInfo& base, std::vector<std::uint64_t> dims) {
  std::uint64_t n = 1;
  for (const auto dim : dims) n *= dim;
  return {.kind = h5::Kind::array, .size = base.size * n, .dims = std::move(dims), .base = {base}};
}
inline h5::TypeInfo vlen(const h5::TypeInfo& base) {
  return {.kind = h5::Kind::vlen, .size = 16, .base = {base}};
}
inline h5::TypeInfo complex(const h5::TypeInfo& part) {
  return {.kind = h5::Kind::compound, .size = 2 * part.size, .members = {{"r", 0, part}, {"i", part.size, part}}};
}
inline h5::TypeInfo compound(std::vector<std::pair<std::string, h5::TypeInfo>> members) {
  h5::TypeInfo type{.kind = h5::Kind::compound};
  for (auto& [name, member] : members) {
    type.members.push_back({name, type.size, member});
    type.size += member.size == 0 ? 8 : member.size;
  }
  return type;
}

struct FieldFixture {
  /// jets and tracks as the dumpers of ATLAS write them, images, weights, ragged rows, a table of hits.
  FieldFixture() {
    add("jets", compound({{"pt", f32()}, {"eta", f32()}, {"flavour", i32()}, {"name", text(8)}, {"ok", boolean()}}),
        {});
    add("tracks", compound({{"d0", f32()}, {"nhits", u8()}, {"valid", boolean()}, {"pt", f64()}}), {40});
    add("ECAL", f32(), {25, 25, 25});
    add("weight", f64(), {});
    add("OneHot", f32(), {4});
    add("truth", i16(), {40});
    add("g/hits.x", vlen(f32()), {});
    add("ragged", vlen(compound({{"e", f32()}, {"t", f32()}})), {});
    add("table", compound({{"x", f32()}, {"charge", i32()}}), {});
    add("hid", i64(), {});
    add("kind", text(0), {});
    add("cells", compound({{"cov", array(f32(), {2, 2})}, {"id", i64()}}), {});
    add("packed", i16(), {8, 8});
  }

  RawDataset& add(const std::string& path, const h5::TypeInfo& type, std::vector<std::uint64_t> row) {
    return datasets.add({.path = path, .type = type, .row_shape = std::move(row)});
  }
  /// The dataset has these types in files a.h5, b.h5, ...; none: it is not there.
  void in_files(const std::string& path, const std::vector<std::optional<h5::TypeInfo>>& types) {
    auto& dataset = at(path);
    dataset.type_in_file.clear();
    for (const auto& type : types)
      dataset.type_in_file.push_back(
          {std::string(1, static_cast<char>('a' + dataset.type_in_file.size())) + ".h5", type});
    for (auto here = dataset.type_in_file.rbegin(); here != dataset.type_in_file.rend(); ++here)
      if (here->type) dataset.type = *here->type;
  }
  RawDataset& at(const std::string& path) { return *datasets.find(path); }

  ResolvedField resolve(const FieldConfig& config) const {
    return resolve_field({.config = config,
                          .datasets = datasets,
                          .scales = scales ? &*scales : nullptr,
                          .label_values = label_values ? &*label_values : nullptr,
                          .measuring = measuring});
  }
  ResolvedField resolve_of(std::vector<std::string> source) const {
    return resolve(FieldConfig{.name = "x", .source = std::move(source)});
  }
  std::string mistake(const FieldConfig& config) const {
    try {
      resolve(config);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no mistake";
  }
  std::string mistake_of(std::vector<std::string> source) const {
    return mistake(FieldConfig{.name = "x", .source = std::move(source)});
  }

  RawDatasets datasets;
  std::optional<ScaleFile> scales;
  std::optional<std::vector<std::string>> label_values;
  bool measuring = false;
};

}  // namespace headrace::data::fields
