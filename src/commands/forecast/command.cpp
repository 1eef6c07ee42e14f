#include "commands/forecast/command.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "commands/commands.hpp"
#include "commands/forecast/report.hpp"
#include "commands/forecast/window_plot.hpp"
#include "commands/resampling_plot.hpp"

namespace headrace::commands::forecast {

double rate(const config::Value& value) {
  auto text = value.text();
  if (text.ends_with("/s")) text.resize(text.size() - 2);
  const bool bits = text.ends_with("bit");
  if (bits) text.resize(text.size() - 3);
  try {
    const auto amount = static_cast<double>(parse_bytes(text, value.shown)) / (bits ? 8 : 1);
    if (amount > 0) return amount;
  } catch (const UsageError&) {
  }
  config::reject(value, "a rate, as in 25GB/s or 200Gbit/s");
}

int plan(const config::Config& config, const PlanOptions& options, std::ostream& out) {
  if (options.samples.has_value() != options.row_bytes.has_value())
    throw UsageError("--samples and --row-bytes go together; give both, or files");
  if (options.samples.has_value() == config.has_samples())
    throw UsageError("plan takes either files or --samples N --row-bytes BYTES");
  constexpr std::uint64_t most_processes = 1 << 24;  // each is worked out; no machine has as many
  const auto require_few = [&](std::uint64_t per_node, const std::string& what) {
    if (per_node * options.nodes > most_processes)
      throw UsageError("--nodes times --" + what + "-per-node is more than " + std::to_string(most_processes) +
                       " (no machine has so many); correct one of them");
  };
  require_few(options.stagers_per_node, "stagers");
  require_few(config.trainers_per_node, "trainers");
  constexpr std::uint64_t most = std::uint64_t{1} << 60;  // products of these stay exact
  if (options.samples && *options.row_bytes > most / *options.samples)
    throw UsageError("--samples times --row-bytes is more than 1 EiB; correct one of them");
  const bool windows = config.in_blocks();
  if (!options.plot.empty() && (options.samples || (config.resample.bins.empty() && !windows)))
    throw UsageError(
        "--plot draws what [resample] or window does to the samples of files; write that section or key, and name "
        "files");
  if (!options.label.empty() && (options.samples || !windows))
    throw UsageError("--label tells how windows mix it; set window, and name files");
  // What is resampled is counted, unless that would take long.
  constexpr std::uint64_t quickly_read = 1 << 30;
  const auto most_bytes = !options.plot.empty() && !windows ? UINT64_MAX
                          : config.resample.bins.empty()    ? 0
                                                            : quickly_read;
  auto facts = options.samples ? facts_made_up(config, *options.samples, *options.row_bytes)
                               : facts_of_files(config, most_bytes);
  const plan::Machine machine{options.nodes, options.stagers_per_node, config.trainers_per_node};
  auto result = forecast(config, facts, machine, options.rates);
  if (!options.label.empty()) look_at_label(config, facts, options.label, result);
  out << (options.json ? json_of(result).dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n"
                       : printable_lines(text_of(result)))
      << std::flush;
  for (const auto& stream : result.streams)
    if (stream.quality)
      for (const auto& warning : service::blueprint::warnings_of(stream.name, *stream.quality))
        std::cerr << "headrace: warning: " << printable_lines(warning) << "\n";
  if (options.plot.empty()) return 0;
  if (windows)
    plot_windows(config, facts, options.label, result, options.plot);
  else
    plot_resampling(config, facts.report, options.plot);
  return 0;
}

// ---- its command line ---------------------------------------------------------------------------------------------

namespace {

const config::Flag nodes{"nodes", 0, "N", "1", "how many nodes"};
const config::Flag stagers_per_node{"stagers-per-node", 0, "N", "1", "stagers on each of them"};
const config::Flag samples{"samples", 0, "N", "", "made-up data instead of files: that many samples"};
const config::Flag row_bytes_flag{"row-bytes", 0, "BYTES", "", "and the size of one"};
const config::Flag nic{"nic", 0, "RATE", "", "of a node's network, as in 200Gbit/s or 25GB/s"};
const config::Flag disk{"disk", 0, "RATE", "", "at which one node reads the files"};
const config::Flag disk_total{"disk-total", 0, "RATE", "", "at which all nodes together read them"};
const config::Flag picture{"plot", 0, "FILE.png", "",
                           "a picture of what [resample] or window does; needs python3 with matplotlib"};
const config::Flag label{"label", 0, "ITEM", "", "a class or number of each sample: how do windows mix it?"};
const config::Flag memory_rate{"memory-rate", 0, "RATE", "", "at which a node copies rows (bench: limit gather)"};
const config::Flag scratch_rate{"scratch-rate", 0, "RATE", "", "at which a node's own disk gives rows at random"};

/// The value of a flag that may be absent, read by `reader`.
template <class Reader, class Place>
void take(const config::Arguments& arguments, config::Mistakes& mistakes, const config::Flag& flag, Place& place,
          Reader reader) {
  if (arguments.has(flag.name) || !flag.fallback.empty())
    mistakes.attempt([&] { place = reader(arguments.value(flag.name, flag.fallback)); });
}

int run(const config::Arguments& arguments, config::Mistakes& mistakes) {
  PlanOptions options;
  const auto count = [](const config::Value& value) {
    return static_cast<std::uint32_t>(config::whole(value, 1, 1u << 20));
  };
  const auto size = [](const config::Value& value) { return config::bytes(value); };
  take(arguments, mistakes, nodes, options.nodes, count);
  take(arguments, mistakes, stagers_per_node, options.stagers_per_node, count);
  take(arguments, mistakes, samples, options.samples,
       [](const config::Value& value) { return config::whole(value, 1); });
  take(arguments, mistakes, row_bytes_flag, options.row_bytes, size);
  take(arguments, mistakes, nic, options.rates.nic, rate);
  take(arguments, mistakes, disk, options.rates.disk, rate);
  take(arguments, mistakes, disk_total, options.rates.disk_total, rate);
  take(arguments, mistakes, scratch_rate, options.rates.scratch, rate);
  take(arguments, mistakes, memory_rate, options.rates.memory, rate);
  options.json = arguments.has(json_flag.name);
  options.plot = arguments.value(picture.name, "").text();
  options.label = arguments.value(label.name, "").text();
  return plan(configuration(arguments, mistakes), options, std::cout);
}

}  // namespace

config::Command plan_command() {
  return {.name = "plan",
          .usage = "[FILE...]",
          .summary = "Tells beforehand what a service will need and deliver.",
          .details =
              "A dry run for any number of nodes of --memory each. Needs no MPI; reads samples only for [resample] and "
              "--label.",
          .configured = true,
          .flags = {nodes, stagers_per_node, samples, row_bytes_flag, nic, disk, disk_total, memory_rate, scratch_rate,
                    picture, label, json_flag},
          .prints = true,
          .run = run};
}

}  // namespace headrace::commands::forecast
