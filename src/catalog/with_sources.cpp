#include "catalog/with_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.hpp"
#include "catalog/examiner.hpp"
#include "catalog/grouping.hpp"
#include "catalog/see_through.hpp"
#include "catalog/virtual_check.hpp"

namespace headrace::catalog {

namespace {

/// Looks at each virtual dataset of a file. Returns whether all of them are there in full.
bool judge(FileContents& file, const Sources& sources, const ScanOptions& options) {
  bool all_there = true;
  for (auto& dataset : file.datasets) {
    if (!dataset.problem.empty() || dataset.home.empty() || dataset.dims.empty()) continue;
    auto report = check_virtual(dataset, sources);
    if (!report.problem.empty()) {
      all_there = false;
      if (report.broken)
        dataset.lost = report.problem;
      else if (!options.fill_gaps)
        dataset.lost =
            report.problem +
            "; put it where it is looked for, name its folder in HDF5_VDS_PREFIX, or take the fill value for "
            "data with virtual-gaps = \"fill\"";
    }
    file.virtuals.push_back(std::move(report));
  }
  return all_there;
}

void append_behind(FileContents&& file, Contents&& behind, Contents& result) {
  const NamedFile named{file.path, file.bytes, file.head, file.mtime_ns};
  for (std::size_t k = 0; k < behind.size(); ++k) {
    behind[k].instead_of = named;
    behind[k].continues = k > 0;
    if (k == 0) {
      behind[k].virtuals = std::move(file.virtuals);
      for (auto& report : behind[k].virtuals) report.seen_through = true;
    }
    result.push_back(std::move(behind[k]));
  }
}

std::string normal(const std::string& path) {
  std::error_code ignored;
  const auto real = std::filesystem::weakly_canonical(path, ignored).string();
  return real.empty() ? path : real;
}

/// Those that HDF5 is going to read and that are made of what it can find the end of.
void try_virtual(const Contents& contents, Examiner& examiner, const Spread& spread) {
  std::vector<Trial> trials;
  for (const auto& file : contents) {
    Trial trial{file.path, {}};
    for (const auto& dataset : file.datasets) {
      const auto* report = dataset.home.empty() ? nullptr : find_virtual(file, dataset);
      if (report != nullptr && !report->broken) trial.datasets.push_back(dataset.place());
    }
    if (!trial.datasets.empty()) trials.push_back(std::move(trial));
  }
  if (trials.empty()) return;
  spread(trials.size(), [&](std::size_t i) {
    examiner.try_virtual(trials[i]);
    return std::string();
  });
}

}  // namespace

Contents with_sources(Contents named, const ScanOptions& options, Examiner& examiner, const Spread& spread) {
  const auto sources = find_sources(named, examiner, spread);
  Contents result;
  for (auto& file : named) {
    const bool all_there = judge(file, sources, options);
    SeeThrough through;
    if (all_there && !file.virtuals.empty())
      through = see_through(file, sources, [&](const h5::DatasetInfo& dataset) {
        return options.keep ? options.keep(dataset) : !dataset.dims.empty();
      });
    if (!through.files.empty() && options.see_through) {
      append_behind(std::move(file), std::move(through.files), result);
      continue;
    }
    for (auto& report : file.virtuals) {
      report.seen_through = !through.files.empty();
      report.why_not = through.why_not;
    }
    file.sources = files_behind(file, sources);
    result.push_back(std::move(file));
  }
  try_virtual(result, examiner, spread);
  return result;
}

void require_once(const Contents& contents) {
  std::map<std::string, std::string> by_whom;  // file, and the named one that it stands for
  for (const auto& file : contents) {
    const auto& named = file.instead_of ? file.instead_of->path : file.path;
    const auto [at, is_new] = by_whom.try_emplace(normal(file.path), named);
    if (is_new || at->second == named) continue;
    const auto through = [](const std::string& name, const std::string& path) {
      return name == path ? "by itself" : "through the virtual file " + name;
    };
    throw UsageError(fmt::format("file {} comes twice, {} and {}; its samples would come twice: name one of them",
                                 file.path, through(at->second, file.path), through(named, file.path)));
  }
}

std::vector<std::string> files_behind(const Contents& contents) {
  std::set<std::string> files;
  for (const auto& file : contents) {
    if (file.instead_of) files.insert(file.path);
    for (const auto& source : file.sources) files.insert(source.path);
  }
  return {files.begin(), files.end()};
}

}  // namespace headrace::catalog
