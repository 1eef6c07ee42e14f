#include "catalog/see_through.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "catalog/file_print.hpp"

namespace headrace::catalog {

namespace {

using Dims = std::vector<std::uint64_t>;

bool is_one_block(const h5::Slab& slab) {
  for (std::size_t axis = 0; axis < slab.start.size(); ++axis)
    if (slab.count[axis] != 1 && slab.stride[axis] != slab.block[axis]) return false;
  return true;
}

std::uint64_t length(const h5::Slab& slab, std::size_t axis) {
  return slab.count[axis] * slab.block[axis];
}

/// Whether the slab is rows [first, first + dims[0]) of whole rows of these dims; where they begin.
std::optional<std::uint64_t> first_of_whole_rows(const h5::Slab& slab, const Dims& dims) {
  if (slab.start.size() != dims.size() || !is_one_block(slab)) return std::nullopt;
  for (std::size_t axis = 0; axis < dims.size(); ++axis)
    if (length(slab, axis) != dims[axis] || (axis > 0 && slab.start[axis] != 0)) return std::nullopt;
  return slab.start[0];
}

/// A virtual dataset's sources in order, where it is nothing but them one after another.
class InOrder {
 public:
  InOrder(const h5::DatasetInfo& dataset, const Sources& sources) : dataset_(dataset), sources_(sources) {
    for (const auto& part : dataset.parts) add(part);
    std::stable_sort(order_.begin(), order_.end(), [](const Entry& a, const Entry& b) { return a.first < b.first; });
    std::uint64_t row = 0;
    for (const auto& entry : order_) {
      if (entry.first != row) refuse(fmt::format("the parts of '{}' overlap or leave rows out", dataset.path));
      row += entry.source->rows();
    }
    if (order_.empty() || row != dataset.rows()) refuse(fmt::format("'{}' has rows of no source", dataset.path));
  }

  struct Entry {
    std::uint64_t first;
    const FileContents* file;
    const h5::DatasetInfo* source;
  };
  const std::vector<Entry>& entries() const { return order_; }
  const std::string& why_not() const { return why_not_; }

 private:
  void refuse(std::string why) {
    if (why_not_.empty()) why_not_ = std::move(why);
  }

  void add(const h5::VirtualPart& part) {
    const auto* source = sources_.dataset_of(dataset_.home, part);
    if (source == nullptr || !source->problem.empty())
      return refuse(fmt::format("not all sources of '{}' are there", dataset_.path));
    if (part.file == ".") return refuse(fmt::format("'{}' is made of datasets of its own file", dataset_.path));
    if (source->dims.size() != dataset_.dims.size() || source->type != dataset_.type ||
        !std::equal(source->dims.begin() + 1, source->dims.end(), dataset_.dims.begin() + 1))
      return refuse(fmt::format("'{}' has another type or row shape than its source {}", dataset_.path, part.file));
    const auto at = place(part, *source);
    if (!at) return refuse(fmt::format("'{}' is not made of whole sources one after another", dataset_.path));
    order_.push_back({*at, &sources_.of(dataset_.home, part).file, source});
  }

  /// Its first row in the virtual dataset, where all of the source is whole rows there.
  std::optional<std::uint64_t> place(const h5::VirtualPart& part, const h5::DatasetInfo& source) const {
    // A source without rows stands where the list has it.
    if (part.to.empty() && source.rows() == 0)
      return order_.empty() ? 0 : order_.back().first + order_.back().source->rows();
    if (part.to.size() != 1) return std::nullopt;
    if (!part.unlimited && !part.from.empty() &&
        (part.from.size() != 1 || first_of_whole_rows(part.from[0], source.dims) != std::optional<std::uint64_t>(0)))
      return std::nullopt;
    return first_of_whole_rows(part.to[0], source.dims);
  }

  const h5::DatasetInfo& dataset_;
  const Sources& sources_;
  std::vector<Entry> order_;
  std::string why_not_;
};

class Through {
 public:
  Through(const FileContents& file, const Sources& sources, const std::function<bool(const h5::DatasetInfo&)>& keep)
      : file_(file), sources_(sources) {
    for (const auto& dataset : file.datasets)
      if (!dataset.parts.empty() && dataset.problem.empty()) lists_.emplace_back(&dataset, InOrder(dataset, sources));
    if (lists_.empty()) refuse("it has no virtual dataset");
    for (const auto& [dataset, list] : lists_) {
      if (!list.why_not().empty()) refuse(list.why_not());
      if (dataset->home != file.path)
        refuse(fmt::format("'{}' lies behind a link to {}", dataset->path, dataset->home));
    }
    for (const auto& [dataset, list] : lists_)
      if (!same_files(list, lists_[0].second))
        refuse(fmt::format("'{}' and '{}' are made of different files", lists_[0].first->path, dataset->path));
    for (const auto& [dataset, list] : lists_)
      for (const auto& [other, other_list] : lists_)
        if (dataset->rows() == other->rows() && !same_rows(list, other_list))
          refuse(fmt::format("'{}' and '{}' take other rows of the same files", dataset->path, other->path));
    for (const auto& dataset : file.datasets)
      if ((dataset.parts.empty() || !dataset.problem.empty()) && keep(dataset))
        refuse(fmt::format("'{}' lies beside the virtual datasets, in the file itself", dataset.path));
  }

  SeeThrough run() {
    if (!why_not_.empty()) return {{}, why_not_};
    SeeThrough result;
    for (std::size_t k = 0; k < lists_[0].second.entries().size(); ++k) {
      auto one = source(k);
      auto deeper = Through(one, sources_, [](const auto&) { return true; }).run();
      if (deeper.files.empty()) {
        one.sources = files_behind(one, sources_);
        result.files.push_back(std::move(one));
      } else {
        for (auto& behind : deeper.files) result.files.push_back(std::move(behind));
      }
    }
    return result;
  }

 private:
  void refuse(std::string why) {
    if (why_not_.empty()) why_not_ = std::move(why);
  }

  static bool same_files(const InOrder& a, const InOrder& b) {
    return std::equal(a.entries().begin(), a.entries().end(), b.entries().begin(), b.entries().end(),
                      [](const auto& x, const auto& y) { return x.file->path == y.file->path; });
  }

  /// Datasets with as many rows may be fields together, and have to be so in each file.
  static bool same_rows(const InOrder& a, const InOrder& b) {
    return std::equal(a.entries().begin(), a.entries().end(), b.entries().begin(), b.entries().end(),
                      [](const auto& x, const auto& y) { return x.source->rows() == y.source->rows(); });
  }

  /// The k-th source file as if the virtual file's datasets were in it.
  FileContents source(std::size_t k) const {
    FileContents file = *lists_[0].second.entries()[k].file;
    file.datasets.clear();
    file.conventions = file_.conventions;
    file.netcdf = file_.netcdf;
    file.groups = file_.groups;
    file.dead_links = file_.dead_links;
    for (const auto& [dataset, list] : lists_) {
      auto there = *list.entries()[k].source;
      there.stored_as = there.place();
      there.path = dataset->path;
      there.aliases = dataset->aliases;
      there.attributes = dataset->attributes;
      file.datasets.push_back(std::move(there));
    }
    return file;
  }

  const FileContents& file_;
  const Sources& sources_;
  std::vector<std::pair<const h5::DatasetInfo*, InOrder>> lists_;
  std::string why_not_;
};

}  // namespace

SeeThrough see_through(const FileContents& file, const Sources& sources,
                       const std::function<bool(const h5::DatasetInfo&)>& keep) {
  return Through(file, sources, keep).run();
}

std::vector<SourceFile> files_behind(const FileContents& file, const Sources& sources) {
  std::vector<SourceFile> files;
  std::set<std::string> seen{file.path};
  std::vector<const h5::DatasetInfo*> open;
  std::set<const h5::DatasetInfo*> known;
  for (const auto& dataset : file.datasets) open.push_back(&dataset);
  while (!open.empty()) {
    const auto* dataset = open.back();
    open.pop_back();
    const auto look_at = [&](const std::string& path) {
      if (!seen.insert(path).second) return;
      const auto print = print_of(path);
      files.push_back({path, print.bytes, print.mtime_ns, print.head});
    };
    if (!dataset->other_file.empty()) look_at(dataset->other_file);
    // Of those that are lost the dataset itself tells, if it is wanted.
    if (dataset->lost.empty()) std::ranges::for_each(dataset->raw_files, look_at);
    for (const auto& part : dataset->parts) {
      const auto& source = sources.of(dataset->home, part);
      if (!source.why.empty()) continue;
      if (seen.insert(source.file.path).second)
        files.push_back({source.file.path, source.file.bytes, source.file.mtime_ns, source.file.head});
      const auto* there = sources.dataset_of(dataset->home, part);
      if (there != nullptr && known.insert(there).second) open.push_back(there);
    }
  }
  return files;
}

}  // namespace headrace::catalog
