#include "commands/bench/bench.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iostream>
#include <numeric>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"
#include "base/printable.hpp"
#include "commands/bench/limits.hpp"
#include "commands/bench/report.hpp"
#include "commands/bench/synthetic.hpp"
#include "commands/bench/trainers.hpp"
#include "job/party.hpp"
#include "job/same_config.hpp"
#include "job/set_patience.hpp"
#include "job/signals.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"
#include "mpi/alltoallv.hpp"
#include "mpi/patience.hpp"
#include "mpi/session.hpp"
#include "service/staging.hpp"

namespace headrace::commands::bench {

namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

/// Bytes of a line of /proc/self/status ("VmHWM:").
std::uint64_t status_bytes(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return std::stoull(line.substr(key.size())) * 1024;
  return 0;
}

/// The rounds of one bench: each measures a limit and the service, one after the other.
class Rounds {
 public:
  Rounds(service::Staging& staging, const BenchOptions& options)
      : staging_(staging), options_(options), limit_(staging) {
    const auto& blueprint = staging.blueprint();
    const auto schedule = blueprint.streams[0].schedule(blueprint.trainers);
    const double epoch_bytes = static_cast<double>(schedule.rows_of_epoch() * row_bytes(blueprint.schema));
    epochs_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(options.round_bytes / std::max(epoch_bytes, 1.0)));
    steps_ = schedule.steps();
    batch_bytes_ = schedule.batch() * row_bytes(blueprint.schema);
    trainers_ = blueprint.trainers;
    start_trainers();
  }

  void run(Figures& figures) {
    consume(steps_, 0);  // connects, and warms everything up
    for (unsigned repeat = 0; repeat < options_.repeats; ++repeat) {
      measure_gather(figures);
      measure_alltoallv(figures);
      measure_delivery(figures);
      if (options_.compute_seconds > 0) measure_computing(figures);
    }
    measure_idle(figures);
  }

  void goodbye() { local_.clear(); }

 private:
  const mpi::Comm& all() const { return staging_.topology().all; }

  void start_trainers() {
    if (!staging_.topology().is_leader()) return;
    const auto per_node = staging_.config().trainers_per_node;
    const auto node = staging_.topology().my_node;
    for (std::uint32_t i = 0; i < per_node; ++i)
      local_.push_back(std::make_unique<BenchTrainer>(service::host::service_address(staging_.config(), node),
                                                      staging_.blueprint().streams[0].name, node * per_node + i,
                                                      trainers_, i));
  }

  void measure_gather(Figures& figures) {
    all().barrier();
    double seconds = 0;
    for (std::uint64_t epoch = 0; epoch < epochs_; ++epoch) seconds += limit_.run();
    gather_seconds_ = all().max(seconds);
    const auto bytes = all().sum(limit_.bytes()) * epochs_;
    figures.gather_gbps.push_back(static_cast<double>(bytes) / gather_seconds_ / 1e9);
  }

  void measure_alltoallv(Figures& figures) {
    const auto& topology = staging_.topology();
    std::vector<bool> to;
    std::uint64_t peers = 0;
    for (std::uint32_t stager = 0; stager < topology.stagers(); ++stager) {
      to.push_back(!topology.is_here(stager));
      peers += to.back();
    }
    const auto remote = all().max(limit_.remote_bytes()) * epochs_;
    if (all().max(peers) == 0 || remote == 0) return;
    // The best of several message sizes is the limit.
    alltoallv_seconds_ = 1e300;
    for (const std::size_t message : {std::size_t{256} << 10, std::size_t{1} << 20, std::size_t{8} << 20}) {
      const auto rounds = std::max<std::uint64_t>(1, remote / (message * std::max<std::uint64_t>(peers, 1)));
      const auto most = all().max(rounds);
      const double seconds = mpi::time_alltoallv(all(), to, message, most);
      const double moved = static_cast<double>(message * std::max<std::uint64_t>(peers, 1) * most);
      alltoallv_seconds_ = std::min(alltoallv_seconds_, seconds * static_cast<double>(remote) / moved);
    }
    const auto bytes = all().sum(limit_.remote_bytes()) * epochs_;
    figures.alltoallv_gbps.push_back(static_cast<double>(bytes) / alltoallv_seconds_ / 1e9);
  }

  /// What the trainers of all nodes did: seconds of the slowest node, and of all of them together.
  struct Taken {
    double slowest = 0, trainers = 0, waiting = 0;
    std::vector<double> wait_us;  ///< of each batch of this node's trainers
  };

  /// All trainers of all nodes take `batches` batches and compute so long on each; the thread that owns MPI moves what
  /// crosses nodes meanwhile.
  Taken consume(std::uint64_t batches, double compute_seconds) {
    all().barrier();
    std::atomic<bool> local_done = false;
    std::exception_ptr failure;
    Taken taken;
    const auto begin = Clock::now();
    double seconds = 0;
    std::thread driver([&] {
      try {
        for (const auto& trainer : local_) trainer->take(batches, compute_seconds);
        for (const auto& trainer : local_) {
          const auto round = trainer->finish();
          taken.trainers += round.seconds;
          taken.wait_us.insert(taken.wait_us.end(), round.wait_us.begin(), round.wait_us.end());
        }
      } catch (...) {
        failure = std::current_exception();
      }
      seconds = seconds_since(begin);
      local_done = true;
    });
    std::optional<mpi::Comm::Arrival> arrival;
    staging_.run_until([&] {
      if (!arrival && local_done) arrival.emplace(all());
      return arrival && arrival->complete();
    });
    driver.join();
    mpi::agree(all(), failure);
    taken.slowest = all().max(seconds);
    taken.trainers = all().sum(taken.trainers);
    taken.waiting = all().sum(std::accumulate(taken.wait_us.begin(), taken.wait_us.end(), 0.0) / 1e6);
    return taken;
  }

  void measure_delivery(Figures& figures) {
    const auto batches = steps_ * epochs_;
    const auto taken = consume(batches, 0);
    // What stood in the rings when the round began was not delivered in it.
    const auto slots = staging_.blueprint().slots_of(staging_.config(), 0);
    const auto counted = batches - std::min<std::uint64_t>(batches - 1, slots);
    const double bytes = static_cast<double>(counted * batch_bytes_ * trainers_);
    figures.delivered_gbps.push_back(bytes / taken.slowest / 1e9);
    figures.samples_per_s.push_back(bytes / static_cast<double>(row_bytes(staging_.blueprint().schema)) /
                                    taken.slowest);
    figures.trainer_wait_share.push_back(taken.waiting / taken.trainers);
    figures.wait_us.insert(figures.wait_us.end(), taken.wait_us.begin(), taken.wait_us.end());
    figures.delivered_of_gather.push_back(figures.delivered_gbps.back() / figures.gather_gbps.back());
    if (!figures.alltoallv_gbps.empty())
      figures.exchange_of_alltoallv.push_back(
          (alltoallv_seconds_ + gather_seconds_) /
          (taken.slowest * static_cast<double>(batches) / static_cast<double>(counted)));
  }

  /// Trainers that compute, so that most of their time need not be waiting: some seconds are enough to tell.
  void measure_computing(Figures& figures) {
    constexpr double enough_seconds = 5;
    const auto compute = options_.compute_seconds;
    const auto batches = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(enough_seconds / compute),
                                                   10 * staging_.config().slots, 1000);
    const auto taken = consume(batches, compute);
    figures.trainer_busy_share.push_back(1 - taken.waiting / taken.trainers);
    figures.compute_seconds = compute;
    figures.computed_gbps = static_cast<double>(batch_bytes_ * trainers_) / compute / 1e9;
  }

  void measure_idle(Figures& figures) {
    // Within one run: naps grow long only after a while, and that is how a service idles.
    constexpr double settle_seconds = 1;
    const auto begin = Clock::now();
    std::optional<double> before;
    staging_.run_until([&] {
      if (!before && seconds_since(begin) > settle_seconds) before = cpu_seconds();
      return seconds_since(begin) > settle_seconds + options_.idle_seconds;
    });
    figures.idle_cpu_percent =
        all().max(100 * (cpu_seconds() - before.value_or(0)) / (seconds_since(begin) - settle_seconds));
  }

  service::Staging& staging_;
  const BenchOptions& options_;
  GatherLimit limit_;
  std::vector<std::unique_ptr<BenchTrainer>> local_;
  std::uint64_t epochs_ = 1, steps_ = 1, batch_bytes_ = 0;
  std::uint32_t trainers_ = 1;
  double gather_seconds_ = 0, alltoallv_seconds_ = 0;
};

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

}  // namespace

int bench(config::Config config, const BenchOptions& options) {
  job::Signals::block();
  job::Signals signals;
  job::set_patience(config);
  const mpi::Session session;
  const auto world = job::meet(job::Role::alone, config.name).mine;
  log::setup("headrace bench", !config.verbose || world.rank() != 0, false);
  signals.on_report([first = world.rank() == 0] {
    if (first) log::say("measuring");
  });
  config.name = world.bcast(fmt::format("bench-{}", getpid()));
  config.streams.resize(1);
  config.streams[0].epochs = 0;
  config.linger = 0;
  config.stay = false;

  Figures figures;
  try {
    std::optional<SyntheticFile> made_up;
    if (!options.synthetic.empty()) {
      made_up.emplace(world, options.synthetic);
      config.files = {made_up->path()};
      if (world.rank() == 0) {
        signals.on_end([path = made_up->path()](const std::string&) { SyntheticFile::remove(path); });
        mpi::patience().farewell = [path = made_up->path()](const std::string&) { SyntheticFile::remove(path); };
      }
      made_up->write(world);
    }
    job::require_same_config(world, config);
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
  } catch (const Error& error) {
    if (world.rank() == 0) throw;
    return 0;  // as in serve(): the first speaks, and fails for all
  }
  if (world.rank() != 0) return 0;
  std::cout << printable_lines(table_of(figures));
  if (!options.json.empty()) write_json(figures, options.json);
  return figures.exactly_once ? 0 : 1;
}

}  // namespace headrace::commands::bench
