#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "reader/catalog.hpp"

namespace headrace::reader {

namespace {

using Lengths = std::vector<std::uint64_t>;  // of one dataset, per file

constexpr const char* supported = "fields are made from integers, bool, and floats of 2, 4 or 8 bytes";

const h5::DatasetInfo* find(const FileContents& file, const std::string& path) {
  const auto at = std::lower_bound(file.datasets.begin(), file.datasets.end(), path,
                                   [](const h5::DatasetInfo& d, const std::string& p) { return d.path < p; });
  return at != file.datasets.end() && at->path == path ? &*at : nullptr;
}

std::vector<std::string> names(const FileContents& file) {
  std::vector<std::string> paths;
  for (const auto& dataset : file.datasets) paths.push_back(dataset.path);
  return paths;
}

std::string without_slash(const std::string& path) {
  const auto first = path.find_first_not_of('/');
  return first == std::string::npos ? "" : path.substr(first);
}

// Why this dataset of one file cannot be a field; "" if it can.
std::string unfit(const h5::DatasetInfo& dataset) {
  if (dataset.dims.empty()) return "it is a single value, without an axis of samples";
  if (!element_of(dataset.type)) return fmt::format("its type is {}; {}", h5::text_of(dataset.type), supported);
  if (dataset.row_bytes() == 0) return fmt::format("its shape {} holds nothing", h5::shape_text(dataset.dims));
  for (const auto& filter : dataset.filters)
    if (!filter.available)
      return fmt::format("its chunks went through filter {} ('{}'), which this HDF5 has not", filter.id, filter.name);
  return "";
}

std::vector<std::uint64_t> row_shape(const h5::DatasetInfo& dataset) {
  return {dataset.dims.begin() + 1, dataset.dims.end()};
}

void check_alike(const h5::DatasetInfo& a, const std::string& a_file, const h5::DatasetInfo& b,
                 const std::string& b_file) {
  if (row_shape(a) != row_shape(b))
    throw Error(fmt::format("dataset '{}' has rows of shape {} in {} but {} in {}", a.path,
                            h5::shape_text(row_shape(a)), a_file, h5::shape_text(row_shape(b)), b_file));
  if (element_of(a.type) != element_of(b.type))
    throw Error(fmt::format("dataset '{}' has type {} in {} but {} in {}", a.path, h5::text_of(a.type), a_file,
                            h5::text_of(b.type), b_file));
}

/// The dataset of that path over all files; complains about whatever keeps it from being a field.
DatasetInfo gather(const Contents& contents, const std::string& path) {
  DatasetInfo result;
  result.path = path;
  for (const auto& file : contents) {
    const auto* here = find(file, path);
    if (here == nullptr)
      throw Error(fmt::format("dataset '{}' is missing in {} (it has: {})", path, file.path,
                              file.datasets.empty() ? "no dataset" : fmt::format("{}", fmt::join(names(file), ", "))));
    if (const auto why = unfit(*here); !why.empty())
      throw Error(fmt::format("dataset '{}' in {} cannot be a field ({})", path, file.path, why));
    if (!result.in_file.empty()) check_alike(result.in_file[0], contents[0].path, *here, file.path);
    result.in_file.push_back(*here);
    if (!here->chunk.empty()) result.chunk_rows = std::max(result.chunk_rows, here->chunk[0]);
  }
  result.row_shape = row_shape(result.in_file[0]);
  result.element = *element_of(result.in_file[0].type);
  result.row_bytes = result.in_file[0].row_bytes();
  return result;
}

Lengths lengths(const DatasetInfo& dataset) {
  Lengths rows;
  for (const auto& here : dataset.in_file) rows.push_back(here.rows());
  return rows;
}

std::uint64_t total(const Lengths& rows) {
  std::uint64_t n = 0;
  for (const auto length : rows) n += length;
  return n;
}

void check_lengths(const Contents& contents, const std::vector<DatasetInfo>& datasets) {
  for (std::size_t f = 0; f < contents.size(); ++f) {
    const auto differs = [&](const DatasetInfo& d) { return d.in_file[f].rows() != datasets[0].in_file[f].rows(); };
    if (std::none_of(datasets.begin(), datasets.end(), differs)) continue;
    std::vector<std::string> all;
    for (const auto& d : datasets) all.push_back(fmt::format("{} has {}", d.path, d.in_file[f].rows()));
    throw Error(
        fmt::format("the datasets differ in their number of samples in {} ({}); name those that belong together",
                    contents[f].path, fmt::join(all, ", ")));
  }
}

std::vector<DatasetInfo> named(const Contents& contents, const std::vector<std::string>& paths) {
  std::vector<DatasetInfo> chosen;
  std::set<std::string> seen;
  for (const auto& given : paths) {
    const auto path = without_slash(given);
    if (!seen.insert(path).second) continue;
    const auto has = [&](const FileContents& file) { return find(file, path) != nullptr; };
    if (std::none_of(contents.begin(), contents.end(), has))
      throw Error(fmt::format("no dataset '{}' in {}{}{}", given, contents[0].path,
                              contents.size() > 1 ? " or any other file" : "", did_you_mean(path, names(contents[0]))));
    chosen.push_back(gather(contents, path));
  }
  check_lengths(contents, chosen);
  return chosen;
}

// Why a dataset that nobody named is not offered as a field. Differing shapes or types are no reason to drop it
// quietly.
std::string reason_to_leave(const Contents& contents, const std::string& path) {
  for (const auto& file : contents) {
    const auto* here = find(file, path);
    if (here == nullptr) return "it is missing in " + file.path;
    if (auto why = unfit(*here); !why.empty()) return why;
  }
  return "";
}

std::vector<DatasetInfo> most_common(const Contents& contents, std::vector<LeftOut>& left_out) {
  std::set<std::string> paths;
  for (const auto& file : contents)
    for (const auto& dataset : file.datasets) paths.insert(dataset.path);
  std::map<Lengths, std::vector<DatasetInfo>> groups;
  for (const auto& path : paths) {
    if (auto why = reason_to_leave(contents, path); !why.empty()) {
      left_out.push_back({path, std::move(why)});
      continue;
    }
    auto dataset = gather(contents, path);
    groups[lengths(dataset)].push_back(std::move(dataset));
  }
  const auto bytes = [](const auto& group) {
    std::uint64_t row = 0;
    for (const auto& dataset : group.second) row += dataset.row_bytes;
    return row * total(group.first);
  };
  const auto best = std::max_element(groups.begin(), groups.end(), [&](const auto& a, const auto& b) {
    return std::pair(a.second.size(), bytes(a)) < std::pair(b.second.size(), bytes(b));
  });
  for (const auto& group : groups)
    if (&group != &*best)
      for (const auto& dataset : group.second)
        left_out.push_back({dataset.path, fmt::format("it has {} samples where {} others have {}", total(group.first),
                                                      best->second.size(), total(best->first))});
  return best == groups.end() ? std::vector<DatasetInfo>{} : std::move(best->second);
}

[[noreturn]] void throw_nothing_fits(const Contents& contents, const std::vector<LeftOut>& left_out) {
  if (left_out.empty()) throw Error(fmt::format("{} holds no dataset", contents[0].path));
  std::vector<std::string> reasons;
  for (const auto& l : left_out) reasons.push_back(fmt::format("'{}': {}", l.path, l.reason));
  throw Error(fmt::format("no dataset in {} can be a field ({})", contents[0].path, fmt::join(reasons, "; ")));
}

}  // namespace

std::uint64_t Catalog::row_bytes() const {
  std::uint64_t n = 0;
  for (const auto& dataset : datasets) n += dataset.row_bytes;
  return n;
}

std::optional<Element> element_of(const h5::TypeInfo& type) {
  const auto sized = [&](DType one, DType two, DType four, DType eight) -> std::optional<Element> {
    switch (type.size) {
      case 1:
        return Element{one, false};
      case 2:
        return Element{two, type.big_endian};
      case 4:
        return Element{four, type.big_endian};
      case 8:
        return Element{eight, type.big_endian};
      default:
        return std::nullopt;
    }
  };
  if (!type.standard) return std::nullopt;
  switch (type.kind) {
    case h5::Kind::enum_bool:
      return Element{DType::boolean, false};
    case h5::Kind::integer:
    case h5::Kind::enumeration:
      return type.is_signed ? sized(DType::int8, DType::int16, DType::int32, DType::int64)
                            : sized(DType::uint8, DType::uint16, DType::uint32, DType::uint64);
    case h5::Kind::floating:
      return sized(DType::uint8, type.bfloat ? DType::bfloat16 : DType::float16, DType::float32, DType::float64);
    default:
      return std::nullopt;
  }
}

Catalog select(const Contents& contents, const std::vector<std::string>& paths) {
  EXPECTS(!contents.empty());
  Catalog catalog;
  catalog.datasets = paths.empty() ? most_common(contents, catalog.left_out) : named(contents, paths);
  if (catalog.datasets.empty()) throw_nothing_fits(contents, catalog.left_out);
  for (std::size_t f = 0; f < contents.size(); ++f) {
    const auto rows = catalog.datasets[0].in_file[f].rows();
    catalog.files.push_back({contents[f].path, contents[f].bytes, contents[f].mtime_ns, catalog.samples, rows});
    catalog.samples += rows;
  }
  if (catalog.samples == 0)
    throw Error(fmt::format("there are no samples (dataset '{}' has shape {} in {})", catalog.datasets[0].path,
                            h5::shape_text(catalog.datasets[0].in_file[0].dims), contents[0].path));
  return catalog;
}

}  // namespace headrace::reader
