#include "catalog/virtual_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "catalog/coverage.hpp"

namespace headrace::catalog {

namespace {

std::string rows_text(const std::vector<RowRun>& runs) {
  if (runs.empty()) return "rows";
  const auto& run = runs.front();
  const auto first = run.last - run.first == 1 ? fmt::format("row {}", run.first)
                                               : fmt::format("rows {} to {}", run.first, run.last - 1);
  return runs.size() == 1 ? first : first + fmt::format(" and {} more runs of rows", runs.size() - 1);
}

std::uint64_t elements(const std::vector<std::uint64_t>& dims) {
  std::uint64_t n = 1;
  for (const auto extent : dims) n *= extent;
  return n;
}

/// Why the source's shape is not the one that was mapped; "" if it can be.
std::string misfit(const h5::VirtualPart& part, const h5::DatasetInfo& source) {
  const auto has = "it has shape " + h5::shape_text(source.dims);
  if (part.unlimited) return "";
  if (part.from.empty())
    return elements(source.dims) == part.points()
               ? ""
               : has + fmt::format(", which is not the {} values that are mapped", part.points());
  for (const auto& slab : part.from) {
    if (slab.start.size() != source.dims.size())
      return has + fmt::format(", where {} axes are mapped", slab.start.size());
    for (std::size_t axis = 0; axis < slab.start.size(); ++axis)
      if (const auto end = slab.start[axis] + (slab.count[axis] - 1) * slab.stride[axis] + slab.block[axis];
          end > source.dims[axis])
        return has + fmt::format(", where {} are mapped along axis {}", end, axis);
  }
  return "";
}

class Check {
 public:
  Check(const h5::DatasetInfo& dataset, const Sources& sources, std::set<const h5::DatasetInfo*>& above)
      : dataset_(dataset), sources_(sources), above_(above) {}

  VirtualReport run() {
    report_.dataset = dataset_.path;
    report_.rows = dataset_.rows();
    std::set<std::string> files;
    for (const auto& part : dataset_.parts) {
      files.insert(part.file);
      look_at(part);
    }
    report_.sources = files.size();
    const auto gaps = uncovered(dataset_.parts, dataset_.dims);
    if (!gaps.empty()) trouble(rows_text(gaps) + (count_rows(gaps) == 1 ? " comes" : " come") + " from no source");
    lost_.insert(lost_.end(), gaps.begin(), gaps.end());
    report_.fill_rows = std::min(report_.rows, count_rows(joined(std::move(lost_))) + nested_rows_);
    finish();
    return std::move(report_);
  }

 private:
  void look_at(const h5::VirtualPart& part) {
    if (part.to.empty() && !part.unlimited) return;  // no row of it: whether it is there is all the same
    const auto& source = sources_.of(dataset_.home, part);
    const auto* there = sources_.dataset_of(dataset_.home, part);
    if (!source.why.empty()) return missing(part, source.why);
    if (!there->problem.empty())
      return missing(part,
                     fmt::format("{} has no such dataset that can be opened: {}", source.file.path, there->problem));
    if (const auto why = misfit(part, *there); !why.empty()) return broken(part, why);
    if (!there->lost.empty()) return broken(part, there->lost);
    if (!there->parts.empty()) look_behind(part, *there);
  }

  /// A source that is virtual itself.
  void look_behind(const h5::VirtualPart& part, const h5::DatasetInfo& source) {
    if (!above_.insert(&source).second)
      return broken(part, "it is virtual, and made of the very dataset that it is a part of");
    const auto report = Check(source, sources_, above_).run();
    above_.erase(&source);
    if (report.problem.empty()) return;
    if (report.broken) return broken(part, report.problem);
    // Which rows of this one those are matters less than how many.
    note(part);
    nested_rows_ += std::min(report.fill_rows, count_rows(rows_of(part, dataset_.dims)));
    trouble(fmt::format("'{}' in {} is virtual itself, and {}", part.dataset, part.file, report.problem));
  }

  void missing(const h5::VirtualPart& part, const std::string& why) {
    note(part);
    const auto rows = rows_of(part, dataset_.dims);
    trouble(fmt::format("{} are those of '{}' in {} ({})", rows_text(rows), part.dataset, part.file, why));
    lost_.insert(lost_.end(), rows.begin(), rows.end());
    report_.broken = report_.broken || part.unlimited;  // nobody knows how many rows it would have given
  }

  void broken(const h5::VirtualPart& part, const std::string& why) {
    note(part);
    trouble(fmt::format("{} are those of '{}' in {} ({})", rows_text(rows_of(part, dataset_.dims)), part.dataset,
                        part.file, why));
    report_.broken = true;
  }

  void note(const h5::VirtualPart& part) {
    auto& names = report_.missing;
    if (std::find(names.begin(), names.end(), part.file) == names.end()) names.push_back(part.file);
  }

  void trouble(std::string what) {
    if (first_.empty()) first_ = std::move(what);
  }

  void finish() {
    if (first_.empty()) return;
    report_.problem = report_.broken ? "it is virtual, and " + first_
                                     : fmt::format("it is virtual, and {} of its {} rows would be the fill value: {}",
                                                   report_.fill_rows, report_.rows, first_);
    if (report_.missing.size() > 1)
      report_.problem += fmt::format(", and {} more sources are not right", report_.missing.size() - 1);
  }

  const h5::DatasetInfo& dataset_;
  const Sources& sources_;
  std::set<const h5::DatasetInfo*>& above_;  // the virtual datasets that this one is a part of
  VirtualReport report_;
  std::string first_;
  std::vector<RowRun> lost_;
  std::uint64_t nested_rows_ = 0;
};

}  // namespace

VirtualReport check_virtual(const h5::DatasetInfo& dataset, const Sources& sources) {
  std::set<const h5::DatasetInfo*> above{&dataset};
  return Check(dataset, sources, above).run();
}

std::string text_of(const VirtualReport& report) {
  const auto files = fmt::format("{} file{}", report.sources, report.sources == 1 ? "" : "s");
  if (report.problem.empty()) return "virtual: " + files + (report.sources == 1 ? ", there" : ", all there");
  const auto rows = fmt::format("{} row{} would be the fill value", report.fill_rows, report.fill_rows == 1 ? "" : "s");
  if (report.missing.empty()) return fmt::format("virtual: {}, all there, but {}", files, rows);
  constexpr std::size_t most = 3;
  const std::vector some(report.missing.begin(),
                         report.missing.begin() + static_cast<long>(std::min(most, report.missing.size())));
  return fmt::format("virtual: {} of {} sources {} ({}{}): {}", report.missing.size(), report.sources,
                     report.broken ? "not usable" : "missing", fmt::join(some, ", "),
                     report.missing.size() > most ? ", ..." : "", report.broken ? "it cannot be read" : rows);
}

}  // namespace headrace::catalog
