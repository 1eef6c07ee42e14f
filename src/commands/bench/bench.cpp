#include "commands/bench/bench.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/printable.hpp"
#include "commands/bench/limits.hpp"
#include "commands/bench/report.hpp"
#include "commands/bench/rounds.hpp"
#include "commands/bench/synthetic.hpp"
#include "job/launch.hpp"
#include "job/signals.hpp"
#include "log/log.hpp"
#include "mpi/patience.hpp"
#include "service/staging.hpp"

namespace headrace::commands::bench {

namespace {

/// Bytes of a line of /proc/self/status ("VmHWM:").
std::uint64_t status_bytes(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return std::stoull(line.substr(key.size())) * 1024;
  return 0;
}

void measure_load(service::Staging& staging, const BenchOptions& options, Figures& figures) {
  const auto& topology = staging.topology();
  for (unsigned repeat = 0; repeat < options.repeats; ++repeat) {
    topology.all.barrier();
    std::uint64_t bytes = 0;
    const auto seconds = topology.all.max(time_plain_read(staging.blueprint(), topology.me(), staging.slab(), bytes));
    const auto total = topology.all.sum(bytes);
    if (seconds > 0) figures.read_gbps.push_back(static_cast<double>(total) / seconds / 1e9);
    topology.all.barrier();
    staging.load();
    const auto loaded = topology.all.sum(staging.load_report().bytes);
    figures.load_gbps.push_back(static_cast<double>(loaded) / staging.load_seconds() / 1e9);
    if (seconds > 0) figures.load_of_read.push_back(seconds / staging.load_seconds());
  }
  figures.reserve_s = topology.all.max(staging.reserve_seconds());
}

/// Memory of all stagers of this node: what they share counts once; the rings stand beside.
void measure_memory(const service::Staging& staging, Figures& figures) {
  const auto& topology = staging.topology();
  const auto own = status_bytes("VmHWM:") - std::min(status_bytes("VmHWM:"), status_bytes("RssShmem:"));
  const auto node_own = topology.node.sum(own);
  figures.slab_bytes = staging.store().layout().bytes();
  figures.peak_rss_bytes = topology.all.max(node_own + figures.slab_bytes);
  figures.rings_bytes = service::blueprint::ring_bytes_of_node(staging.config(), staging.blueprint());
}

/// A file of made-up samples that is gone however this ends. Written, it is what the configuration serves.
std::unique_ptr<SyntheticFile> make_up(const BenchOptions& options, const mpi::Comm& world, job::Signals& signals,
                                       config::Config& config) {
  if (options.synthetic.empty()) return nullptr;
  auto made_up = std::make_unique<SyntheticFile>(world, options.synthetic);
  config.files = {made_up->path()};
  if (world.rank() == 0) {
    signals.on_end([path = made_up->path()](const std::string&) { SyntheticFile::remove(path); });
    mpi::patience().farewell = [path = made_up->path()](const std::string&) { SyntheticFile::remove(path); };
  }
  made_up->write(world);
  return made_up;
}

Figures measured(config::Config config, const BenchOptions& options, const mpi::Comm& world, job::Signals& signals) {
  Figures figures;
  auto made_up = make_up(options, world, signals, config);
  service::Staging staging(config, world);
  if (made_up) staging.host().on_over([path = made_up->path()] { SyntheticFile::remove(path); });
  staging.begin();
  staging.reserve();
  measure_load(staging, options, figures);
  made_up.reset();
  staging.open();
  Rounds rounds(staging, options);
  rounds.run(figures);
  measure_memory(staging, figures);
  figures.settings = settings_text(staging);
  rounds.goodbye();
  staging.run();
  figures.epochs = staging.host().epochs_audited();
  figures.exactly_once = !staging.host().audit_failed();
  return figures;
}

}  // namespace

int bench(config::Config config, const BenchOptions& options) {
  job::Signals::block();
  job::Signals signals;
  const job::Launch launch(config, {.title = "headrace bench", .quiet = !config.verbose});
  signals.on_report([first = launch.speaks()] {
    if (first) log::say("measuring");
  });
  config.name = launch.mine().bcast(fmt::format("bench-{}", getpid()));
  // What the service of this configuration uses, which may run, is its own.
  config.socket.clear();
  config.metrics.clear();
  config.log.clear();
  config.streams.resize(1);
  config.streams[0].epochs = 0;
  if (config.start == config::Start::early && launch.mine().rank() == 0)
    log::warn("start = early is left out: loading and epochs are measured one after the other");
  config.start = config::Start::loaded;
  config.linger = 0;
  config.stay = false;
  return launch.run(config, [&] {
    const auto figures = measured(config, options, launch.mine(), signals);
    if (!launch.speaks()) return 0;
    std::cout << printable_lines(table_of(figures));
    if (!options.json.empty()) write_json(figures, options.json);
    return figures.exactly_once ? 0 : 1;
  });
}

}  // namespace headrace::commands::bench
