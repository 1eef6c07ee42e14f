#include "catalog/grouping.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/error.hpp"
#include "catalog/defaults.hpp"

namespace headrace::catalog {

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

// The datasets of one file by all of their names: looked up for each dataset of every file.
using Names = std::unordered_map<std::string_view, const h5::DatasetInfo*>;

Names names_in(const FileContents& file) {
  Names names;
  names.reserve(file.datasets.size());
  for (const auto& dataset : file.datasets) {
    names.emplace(dataset.path, &dataset);
    for (const auto& alias : dataset.aliases) names.emplace(alias, &dataset);
  }
  return names;
}

// Why a dataset that nobody named is not offered as a field: "" if it is.
std::string reason_to_leave(const Contents& contents, const std::vector<Names>& names, const std::string& path) {
  std::uint64_t rows = 0;
  const h5::DatasetInfo* last = nullptr;
  for (std::size_t f = 0; f < contents.size(); ++f) {
    auto found = names[f].find(path);
    if (found == names[f].end()) found = names[f].find(h5::through_groups(contents[f].groups, path));
    last = found != names[f].end() ? found->second : nullptr;
    if (last == nullptr) {
      const auto dead = dead_link(contents[f], path);
      return dead.empty() ? "it is missing in " + contents[f].path : "in " + contents[f].path + " " + dead;
    }
    // What is only lost is missed: gather() tells, and nobody trains on less than they believe.
    if (auto why = unfit(*last); !why.empty() && why != last->lost) return why;
    if (auto why = set_aside(*last); !why.empty()) return why;
    rows += last->rows();
  }
  if (rows == 0 && last->lost.empty())
    return fmt::format("it holds no samples, its shape is {}", h5::shape_text(last->dims));
  return "";
}

std::vector<std::uint64_t> rows_by_file(const DatasetInfo& dataset) {
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
  const auto before = [](const h5::DatasetInfo& dataset, const std::string& name) { return dataset.path < name; };
  const auto at = std::lower_bound(file.datasets.begin(), file.datasets.end(), path, before);
  if (at != file.datasets.end() && at->path == path) return &*at;
  for (const auto& dataset : file.datasets)
    if (dataset.path == path ||
        std::find(dataset.aliases.begin(), dataset.aliases.end(), path) != dataset.aliases.end())
      return &dataset;
  const auto listed = h5::through_groups(file.groups, path);
  return listed == path ? nullptr : find(file, listed);
}

std::string dead_link(const FileContents& file, const std::string& path) {
  const auto before = [](const h5::DeadLink& link, std::string_view name) { return link.path < name; };
  for (const auto& name : {path, h5::through_groups(file.groups, path)})
    for (auto end = name.size(); end != std::string::npos && end > 0; end = name.rfind('/', end - 1)) {
      const auto above = std::string_view(name).substr(0, end);
      const auto link = std::lower_bound(file.dead_links.begin(), file.dead_links.end(), above, before);
      if (link != file.dead_links.end() && link->path == above)
        return (end == name.size() ? "it is " : "'" + link->path + "' is ") + h5::text_of(*link);
    }
  return "";
}

std::string dead_link(const Contents& contents, const std::string& path) {
  for (const auto& file : contents)
    if (const auto why = dead_link(file, path); !why.empty()) return "in " + file.path + " " + why;
  return "";
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
    if (const auto dead = here == nullptr ? dead_link(file, path) : ""; !dead.empty())
      throw Error(fmt::format("dataset '{}' cannot be used (in {} {}); put there what it leads to, or name another",
                              path, file.path, dead));
    if (here == nullptr && may_lack) {
      result.in_file.emplace_back();
      continue;
    }
    if (here == nullptr)
      throw Error(fmt::format("dataset '{}' is missing in {} (it has: {})", path, file.path,
                              file.datasets.empty() ? "no dataset" : some_of(names(file))));
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
  std::vector<Names> names;
  for (const auto& file : contents) names.push_back(names_in(file));
  Grouping result;
  std::map<std::vector<std::uint64_t>, Group> by_rows;
  for (const auto& path : paths) {
    if (auto why = reason_to_leave(contents, names, path); !why.empty()) {
      result.unfit.push_back({path, std::move(why)});
      continue;
    }
    try {
      auto dataset = gather(contents, path);
      auto& mine = by_rows[rows_by_file(dataset)];
      mine.rows = rows_by_file(dataset);
      mine.datasets.push_back(std::move(dataset));
    } catch (const Error& e) {
      result.disagreeing.push_back({path, e.what()});
    }
  }
  for (const auto& file : contents)
    for (const auto& link : file.dead_links)
      if (paths.insert(link.path).second)
        result.unfit.push_back({link.path, "in " + file.path + " it is " + h5::text_of(link)});
  for (auto& entry : by_rows) result.groups.push_back(std::move(entry.second));
  std::sort(result.groups.begin(), result.groups.end(), [](const Group& a, const Group& b) {
    return std::pair(a.datasets.size(), a.bytes()) > std::pair(b.datasets.size(), b.bytes());
  });
  return result;
}

}  // namespace headrace::catalog
