#include "reader/grouping.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/error.hpp"

namespace headrace::reader {

namespace {

// Compounds may have hundreds of members.
std::string short_text(const h5::TypeInfo& type) {
  const auto text = h5::text_of(type);
  return text.size() <= 80 || type.members.empty() ? text : fmt::format("compound of {} members", type.members.size());
}

// Why a type is no field by itself; and what makes one of it all the same.
std::string about_type(const h5::DatasetInfo& dataset) {
  const auto& type = dataset.type;
  const auto text = "its type is " + short_text(type);
  if (type.kind == h5::Kind::vlen && is_field_type(type.base.front()))
    return text + fmt::format(", a field where named: source = \"{}\", pad = N", dataset.path);
  for (const auto& member : type.members)
    if (is_field_type(member.type))
      return text + fmt::format(", its columns are fields where named: source = \"{}.{}\"", dataset.path, member.name);
  return text;
}

std::vector<std::uint64_t> row_shape(const h5::DatasetInfo& dataset) {
  return {dataset.dims.begin() + 1, dataset.dims.end()};
}

void check_alike(const h5::DatasetInfo& a, const std::string& a_file, const h5::DatasetInfo& b,
                 const std::string& b_file) {
  if (row_shape(a) != row_shape(b))
    throw Error(fmt::format("dataset '{}' has rows of shape {} in {} but {} in {}", a.path,
                            h5::shape_text(row_shape(a)), a_file, h5::shape_text(row_shape(b)), b_file));
  if (is_field_type(a.type) && is_field_type(b.type) && h5::elements_of(a.type).dims != h5::elements_of(b.type).dims) {
    const auto [here, there] = h5::told_apart(a.type, b.type);
    throw Error(fmt::format("dataset '{}' has type {} in {} but {} in {}", a.path, here, a_file, there, b_file));
  }
}

// Why a dataset that nobody named is not offered as a field: "" if it is.
std::string reason_to_leave(const Contents& contents, const std::string& path) {
  for (const auto& file : contents) {
    const auto* here = find(file, path);
    if (here == nullptr) return "it is missing in " + file.path;
    // What is only lost is missed: gather() tells, and nobody trains on less than they believe.
    if (auto why = unfit(*here); !why.empty() && why != here->lost) return why;
  }
  return "";
}

std::vector<std::uint64_t> rows_of(const DatasetInfo& dataset) {
  std::vector<std::uint64_t> rows;
  for (const auto& here : dataset.in_file) rows.push_back(here.rows());
  return rows;
}

}  // namespace

std::uint64_t Group::samples() const {
  return std::accumulate(rows.begin(), rows.end(), std::uint64_t{0});
}

std::uint64_t Group::bytes() const {
  std::uint64_t row = 0;
  for (const auto& dataset : datasets) row += dataset.row_bytes;
  return row * samples();
}

const h5::DatasetInfo* find(const FileContents& file, const std::string& path) {
  for (const auto& dataset : file.datasets)
    if (dataset.path == path ||
        std::find(dataset.aliases.begin(), dataset.aliases.end(), path) != dataset.aliases.end())
      return &dataset;
  return nullptr;
}

const VirtualReport* find_virtual(const FileContents& file, const h5::DatasetInfo& dataset) {
  for (const auto& report : file.virtuals)
    if (report.dataset == dataset.path) return &report;
  return nullptr;
}

std::vector<std::string> names(const FileContents& file) {
  std::vector<std::string> paths;
  for (const auto& dataset : file.datasets) paths.push_back(dataset.path);
  return paths;
}

std::string unfit(const h5::DatasetInfo& dataset) {
  if (!dataset.problem.empty()) return dataset.problem;
  if (dataset.dims.empty()) return "it is a single value, without an axis of samples";
  if (!is_field_type(dataset.type)) return about_type(dataset);
  return unreadable(dataset);
}

std::string unreadable(const h5::DatasetInfo& dataset) {
  if (!dataset.problem.empty()) return dataset.problem;
  if (dataset.dims.empty()) return "it is a single value, without an axis of samples";
  if (dataset.row_bytes() == 0) return fmt::format("its shape {} holds nothing", h5::shape_text(dataset.dims));
  for (const auto& filter : dataset.filters)
    if (!filter.available)
      return fmt::format("its chunks are compressed by {}, which is not there; {}", h5::text_of(filter),
                         h5::how_to_get(filter));
  return dataset.lost;
}

DatasetInfo gather(const Contents& contents, const std::string& path, bool may_lack) {
  DatasetInfo result;
  result.path = path;
  const FileContents* first = nullptr;
  for (const auto& file : contents) {
    const auto* here = find(file, path);
    if (here == nullptr && may_lack) {
      result.in_file.emplace_back();
      continue;
    }
    if (here == nullptr)
      throw Error(fmt::format("dataset '{}' is missing in {} (it has: {})", path, file.path,
                              file.datasets.empty() ? "no dataset" : fmt::format("{}", fmt::join(names(file), ", "))));
    if (const auto why = unreadable(*here); !why.empty())
      throw Error(fmt::format("dataset '{}' in {} cannot be used ({})", path, file.path, why));
    if (first != nullptr)
      check_alike(*find(*first, path), first->path, *here, file.path);
    else
      first = &file;
    result.in_file.push_back(*here);
    result.row_bytes = std::max(result.row_bytes, here->row_bytes());
    if (!here->chunk.empty()) result.chunk_rows = std::max(result.chunk_rows, here->chunk[0]);
  }
  if (first == nullptr) throw Error(fmt::format("dataset '{}' is missing in all files", path));
  const auto& known = *find(*first, path);
  result.row_shape = row_shape(known);
  result.type = known.type;
  return result;
}

Grouping group(const Contents& contents) {
  std::set<std::string> paths;
  for (const auto& file : contents)
    for (const auto& dataset : file.datasets) paths.insert(dataset.path);
  Grouping result;
  std::map<std::vector<std::uint64_t>, Group> by_rows;
  for (const auto& path : paths) {
    if (auto why = reason_to_leave(contents, path); !why.empty()) {
      result.unfit.push_back({path, std::move(why)});
      continue;
    }
    try {
      auto dataset = gather(contents, path);
      auto& mine = by_rows[rows_of(dataset)];
      mine.rows = rows_of(dataset);
      mine.datasets.push_back(std::move(dataset));
    } catch (const Error& e) {
      result.disagreeing.push_back({path, e.what()});
    }
  }
  for (auto& entry : by_rows) result.groups.push_back(std::move(entry.second));
  std::sort(result.groups.begin(), result.groups.end(), [](const Group& a, const Group& b) {
    return std::pair(a.datasets.size(), a.bytes()) > std::pair(b.datasets.size(), b.bytes());
  });
  return result;
}

}  // namespace headrace::reader
