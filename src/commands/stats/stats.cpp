#include "commands/stats/stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <ostream>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/user_file.hpp"
#include "commands/stats/entries.hpp"
#include "data/fields/plan.hpp"
#include "data/selection/reading.hpp"
#include "data/selection/scan_files.hpp"
#include "data/selection/scan_settings.hpp"
#include "data/selection/selected_samples.hpp"
#include "ipc/own_files.hpp"
#include "job/launch.hpp"
#include "job/topology.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::stats {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
constexpr auto own_key = "headrace-stats";

bool scaled_by_file(const config::FieldConfig& field) {
  return !field.scale_file.empty();
}

config::StreamConfig stream_of(const config::Config& config, const std::string& name) {
  const auto find = [&](const std::string& wanted) {
    return std::find_if(config.streams.begin(), config.streams.end(),
                        [&](const config::StreamConfig& stream) { return stream.name == wanted; });
  };
  if (name.empty() && config.streams.size() == 1) return config.streams[0];
  const auto wanted = name.empty() ? "train" : name;
  if (const auto at = find(wanted); at != config.streams.end()) return *at;
  std::vector<std::string> names;
  for (const auto& stream : config.streams) names.push_back(stream.name);
  throw UsageError(
      fmt::format("--stream: the configuration has no stream '{}'{}", wanted, did_you_mean(wanted, names)));
}

/// Where a field's numbers go.
std::string file_of(const config::FieldConfig& field, const StatsOptions& options) {
  return options.output.empty() ? field.scale_file : options.output;
}

void check(const config::Config& config, const StatsOptions& options) {
  const bool any = std::any_of(config.fields.begin(), config.fields.end(), [](const config::FieldConfig& field) {
    return scaled_by_file(field) || field.encode != config::Encode::none;
  });
  if (!any)
    throw UsageError(
        "no field asks for statistics; give fields scale-file = \"FILE\" (and norm = \"standard\" or "
        "\"minmax\"), or labels encode");
  for (const auto& field : config.fields) {
    if (!scaled_by_file(field)) continue;
    const auto path = file_of(field, options);
    if (!fs::exists(path)) continue;
    std::string why;
    const auto text = read_file_of_user(path, why);
    if (!text) throw UsageError(fmt::format("'{}' cannot be replaced ({}); name another with --output", path, why));
    const auto there = nlohmann::json::parse(*text, nullptr, false);
    if (!there.is_object() || !there.contains(own_key))
      throw UsageError(
          fmt::format("'{}' exists and was not written by 'headrace stats' (it would be lost); move it "
                      "away, or name another file with --output",
                      path));
  }
}

/// All or nothing: readers see the old file or the new one.
void write(const std::string& path, const Json& json) {
  try {
    ipc::Draft draft(path);
    draft.write(json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
    draft.put_in_place();
  } catch (const Error& error) {
    throw Error(
        fmt::format("the scale file '{}' cannot be written ({}); name another with --output", path, error.what()));
  }
}

/// What was measured, with the fields that it belongs to.
struct Findings {
  std::vector<const config::FieldConfig*> configs;
  data::fields::FieldPlans plans;  ///< only the fields that are measured; the schema is that of all
  std::uint64_t samples = 0, files = 0;
  Tallies tallies;
};

Findings look(const config::Config& config, const job::Topology& topology) {
  const auto options =
      data::selection::load_options(config, data::selection::worker_count(config.threads, topology.stagers_on_host));
  const auto& all = topology.all;
  const auto scanned = data::selection::scan_files(config, topology);
  const auto& contents = scanned.contents;
  for (const auto& note : data::selection::virtual_notes(contents))
    if (note.warning && all.rank() == 0) log::warn("{}", note.text);
  auto plans = data::fields::plan_fields(config, contents, all, options, true);
  const auto catalog = mpi::together(all, [&] { return data::fields::catalog_of(contents, plans.fields); });
  auto choices = mpi::together(all, [&] { return data::selection::choose(config, catalog); });
  auto unmixed = config;  // what is measured is each sample, once
  for (auto& stream : unmixed.streams) stream.mix = {};
  const data::selection::SelectedSamples selected(unmixed, contents, catalog, std::move(choices), topology, options);
  auto slabs = selected.divide(std::vector<double>(topology.stagers(), 1.0));
  const auto mine = slabs[topology.me()];
  const auto placed = selected.place(std::move(slabs));

  Findings findings{.configs = {},
                    .plans = {std::move(plans.schema), {}},
                    .samples = selected.sizes()[0],
                    .files = scanned.files,
                    .tallies = {}};
  for (std::size_t f = 0; f < config.fields.size(); ++f) {
    if (!scaled_by_file(config.fields[f]) && config.fields[f].encode == config::Encode::none) continue;
    if (!plans.fields[f].by_class.empty() || plans.fields[f].by_weight) continue;  // no values of files
    findings.configs.push_back(&config.fields[f]);
    findings.plans.fields.push_back(std::move(plans.fields[f]));
  }
  // Of a stream that draws its samples, each counts once, however often it comes.
  const auto& members = placed.draws[0] ? placed.once[0] : placed.strata[0].sets()[0];
  findings.tallies =
      measure({findings.plans.fields, contents, catalog, members, placed.placement, mine, topology, options});
  return findings;
}

/// Rank 0 alone: files, and what people see.
class Report {
 public:
  Report(const config::Config& config, const StatsOptions& options, const Findings& findings) {
    Json classes = Json::object();
    for (std::size_t f = 0; f < findings.configs.size(); ++f) {
      const auto& field = *findings.configs[f];
      const auto& plan = findings.plans.fields[f];
      if (field.encode != config::Encode::none) {
        labels_.emplace_back(field.name, class_counts(plan, findings.tallies[f][0]));
        for (const auto& [name, count] : labels_.back().second) classes[field.name][name] = count;
      } else {
        entries_[file_of(field, options)].add(field, plan, findings.tallies[f]);
      }
    }
    if (entries_.empty() && !options.output.empty()) entries_[options.output];
    own_ = {{"stream", config.streams[0].name}, {"samples", findings.samples}, {"files", findings.files}};
    if (!classes.empty()) own_["classes"] = classes;
  }

  void write_files() const {
    for (const auto& [path, entries] : entries_) {
      auto json = entries.json();
      json[own_key] = own_;
      write(path, json);
    }
  }

  void tell(std::ostream& out) const {
    for (const auto& [path, entries] : entries_) {
      std::size_t width = 8;
      for (const auto& line : entries.lines()) width = std::max(width, line.name.size());
      if (!entries.lines().empty())
        out << fmt::format("{:{}}  {:>14} {:>14} {:>14} {:>14} {:>12}\n", "variable", width, "mean", "std", "min",
                           "max", "values");
      for (const auto& line : entries.lines()) {
        const auto& m = line.moments;
        out << fmt::format("{:{}}  {:>14.6g} {:>14.6g} {:>14.6g} {:>14.6g} {:>12}\n", printable(line.name), width,
                           m.mean, line.deviation, m.count ? m.least : 0, m.count ? m.greatest : 0, m.count);
      }
      for (const auto& warning : entries.warnings()) log::warn("{}", warning);
    }
    for (const auto& [name, counts] : labels_) tell_classes(out, name, counts);
    for (const auto& [path, entries] : entries_) out << "written to " << printable(path) << "\n";
    out << std::flush;
  }

 private:
  using Counts = std::vector<std::pair<std::string, std::uint64_t>>;
  static void tell_classes(std::ostream& out, const std::string& name, const Counts& counts) {
    std::uint64_t all = 0;
    std::size_t width = 0;
    for (const auto& [label, count] : counts) {
      all += count;
      width = std::max(width, label.size());
    }
    out << "classes of " << printable(name) << "\n";
    for (const auto& [label, count] : counts)
      out << fmt::format("  {:{}} {:>12} {:>7.2f} %\n", printable(label), width, count,
                         all ? 100.0 * static_cast<double>(count) / static_cast<double>(all) : 0.0);
  }

  std::map<std::string, ScaleEntries> entries_;  // by path of the file
  std::vector<std::pair<std::string, Counts>> labels_;
  Json own_;
};

}  // namespace

int stats(const config::Config& asked, const StatsOptions& options, std::ostream& out) {
  auto config = asked;
  config.streams = {stream_of(asked, options.stream)};
  const job::Launch launch(config, {.title = "headrace stats", .quiet = config.quiet, .verbose = config.verbose});
  const auto& all = launch.mine();
  return launch.run(config, [&] {
    const auto topology = job::Topology::discover(all, config.split_nodes);
    mpi::together(all, [&] { check(config, options); });
    const auto findings = look(config, topology);
    mpi::together(all, [&] {
      const Report report(config, options, findings);
      if (!launch.speaks()) return;
      report.write_files();
      if (!config.quiet)
        out << fmt::format("{} samples of stream {} in {} file{}\n", findings.samples, config.streams[0].name,
                           findings.files, findings.files == 1 ? "" : "s");
      report.tell(out);
    });
    return 0;
  });
}

}  // namespace headrace::commands::stats
