#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "catalog/catalog.hpp"
#include "catalog/grouping.hpp"

namespace headrace::catalog {

namespace {

std::string without_slash(const std::string& path) {
  const auto first = path.find_first_not_of('/');
  return first == std::string::npos ? "" : path.substr(first);
}

/// Of the datasets that the file has.
std::uint64_t rows_in(const std::vector<DatasetInfo>& datasets, std::size_t file) {
  for (const auto& dataset : datasets)
    if (!dataset.in_file[file].path.empty()) return dataset.in_file[file].rows();
  return 0;
}

/// The samples of each file are counted by what it has.
void require_one_in_each(const Contents& contents, const std::vector<DatasetInfo>& datasets) {
  for (std::size_t f = 0; f < contents.size(); ++f)
    if (std::all_of(datasets.begin(), datasets.end(), [&](const auto& d) { return d.in_file[f].path.empty(); }))
      throw Error(
          fmt::format("{} has none of the datasets of the fields ({}), so that nothing tells how many samples "
                      "it holds; leave it out",
                      contents[f].path, datasets[0].path));
}

void check_lengths(const Contents& contents, const std::vector<DatasetInfo>& datasets) {
  for (std::size_t f = 0; f < contents.size(); ++f) {
    const auto rows = rows_in(datasets, f);
    const auto differs = [&](const DatasetInfo& d) {
      return !d.in_file[f].path.empty() && d.in_file[f].rows() != rows;
    };
    if (std::none_of(datasets.begin(), datasets.end(), differs)) continue;
    std::vector<std::string> all;
    for (const auto& d : datasets)
      if (!d.in_file[f].path.empty()) all.push_back(fmt::format("{} has {}", d.path, d.in_file[f].rows()));
    throw Error(
        fmt::format("the datasets differ in their number of samples in {} ({}); name those that belong together",
                    contents[f].path, fmt::join(all, ", ")));
  }
}

std::vector<DatasetInfo> named(const Contents& contents, const std::vector<std::string>& paths,
                               const std::set<std::string>& may_lack) {
  std::vector<DatasetInfo> chosen;
  std::set<std::string> seen;
  for (const auto& given : paths) {
    const auto path = without_slash(given);
    if (!seen.insert(path).second) continue;
    const auto has = [&](const FileContents& file) { return find(file, path) != nullptr; };
    const bool none = std::none_of(contents.begin(), contents.end(), has);
    if (const auto dead = none ? dead_link(contents, path) : ""; !dead.empty())
      throw Error(
          fmt::format("dataset '{}' cannot be used ({}); put there what it leads to, or name another", path, dead));
    if (none)
      throw Error(fmt::format("no dataset '{}' in {}{}{}", given, contents[0].path,
                              contents.size() > 1 ? " or any other file" : "", did_you_mean(path, names(contents[0]))));
    chosen.push_back(gather(contents, path, may_lack.count(path) != 0));
  }
  if (!chosen.empty()) require_one_in_each(contents, chosen);
  check_lengths(contents, chosen);
  return chosen;
}

std::vector<DatasetInfo> most_common(const Contents& contents, std::vector<LeftOut>& left_out) {
  auto grouping = group(contents);
  // To drop a dataset quietly because a file holds it in another shape would train on less than the user believes.
  if (!grouping.disagreeing.empty())
    throw Error(grouping.disagreeing[0].reason + "; name the datasets to use as fields");
  left_out = std::move(grouping.unfit);
  if (grouping.groups.empty()) return {};
  const auto& best = grouping.groups[0];
  for (auto other = grouping.groups.begin() + 1; other != grouping.groups.end(); ++other)
    for (const auto& dataset : other->datasets)
      left_out.push_back({dataset.path, fmt::format("it has {} samples where {} others have {}", other->samples(),
                                                    best.datasets.size(), best.samples())});
  return std::move(grouping.groups[0].datasets);
}

/// Which file of the user's each is a part of.
void tell_named(const Contents& contents, Catalog& catalog) {
  if (std::none_of(contents.begin(), contents.end(), [](const FileContents& f) { return f.instead_of.has_value(); }))
    return;
  for (std::size_t f = 0; f < contents.size(); ++f) {
    auto& file = catalog.files[f];
    if (!contents[f].continues) {
      auto named = file;
      if (const auto& user = contents[f].instead_of) {
        named.path = user->path;
        named.bytes = user->bytes;
        named.mtime_ns = user->mtime_ns;
        named.head = user->head;
      }
      named.samples = 0;
      catalog.named.push_back(std::move(named));
    }
    file.named = catalog.named.size() - 1;
    catalog.named.back().samples += file.samples;
  }
}

[[noreturn]] void throw_nothing_fits(const Contents& contents, const std::vector<LeftOut>& left_out) {
  if (left_out.empty()) throw Error(fmt::format("{} holds no dataset", contents[0].path));
  constexpr std::size_t most = 8;
  std::vector<std::string> reasons;
  for (const auto& l : left_out)
    if (reasons.size() < most) reasons.push_back(fmt::format("'{}': {}", l.path, l.reason));
  if (left_out.size() > most) reasons.push_back(fmt::format("and {} more", left_out.size() - most));
  throw Error(fmt::format("no dataset in {} is a field by itself ({}); {}", contents[0].path, fmt::join(reasons, "; "),
                          fit_for_fields));
}

}  // namespace

std::uint64_t Catalog::largest_chunk() const {
  std::uint64_t rows = 1;
  for (const auto& dataset : datasets) rows = std::max(rows, dataset.chunk_rows);
  return rows;
}

std::uint64_t Catalog::row_bytes() const {
  std::uint64_t n = 0;
  for (const auto& dataset : datasets) n += dataset.row_bytes;
  return n;
}

bool Catalog::lacks(const std::string& path, std::size_t file) const {
  for (const auto& dataset : datasets)
    if (dataset.path == path) return dataset.in_file[file].path.empty();
  return false;
}

std::size_t Catalog::file_of(std::uint64_t sample) const {
  EXPECTS(sample < samples);
  const auto after = std::upper_bound(files.begin(), files.end(), sample,
                                      [](std::uint64_t s, const FileInfo& file) { return s < file.first_sample; });
  return static_cast<std::size_t>(after - files.begin()) - 1;
}

Element DatasetInfo::element() const {
  const auto element = element_of(type);
  EXPECTS(element.has_value());
  return *element;
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
      if (type.timeval) return Element{DType::float64, type.big_endian, true};
      return sized(DType::uint8, type.bfloat ? DType::bfloat16 : DType::float16, DType::float32, DType::float64);
    default:
      return std::nullopt;
  }
}

bool is_field_type(const h5::TypeInfo& type) {
  return element_of(*h5::elements_of(type).type).has_value();
}

Catalog select(const Contents& contents, const std::vector<std::string>& paths, const std::set<std::string>& may_lack) {
  EXPECTS(!contents.empty());
  Catalog catalog;
  catalog.datasets = paths.empty() ? most_common(contents, catalog.left_out) : named(contents, paths, may_lack);
  if (catalog.datasets.empty()) throw_nothing_fits(contents, catalog.left_out);
  for (std::size_t f = 0; f < contents.size(); ++f) {
    const auto rows = rows_in(catalog.datasets, f);
    const auto& file = contents[f];
    catalog.files.push_back(
        {file.path, file.bytes, file.mtime_ns, file.head, catalog.samples, rows, 0, file.sources, file.rows});
    catalog.samples += rows;
  }
  tell_named(contents, catalog);
  if (catalog.samples == 0)
    throw Error(fmt::format("there are no samples (dataset '{}' has shape {} in {})", catalog.datasets[0].path,
                            h5::shape_text(catalog.datasets[0].in_file[0].dims), contents[0].path));
  return catalog;
}

}  // namespace headrace::catalog
