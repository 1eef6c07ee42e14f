#include "commands/bench/rounds.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <optional>
#include <thread>

#include "base/clock.hpp"
#include "mpi/agree.hpp"
#include "mpi/alltoallv.hpp"

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

}  // namespace

std::uint64_t computed_batches(double compute_seconds, std::uint64_t slots) {
  constexpr double enough_seconds = 5;
  constexpr std::uint64_t many = 1000;
  const auto least = std::max<std::uint64_t>(1, 10 * slots);
  const double enough = std::min(enough_seconds / compute_seconds, static_cast<double>(many));
  return std::max(least, static_cast<std::uint64_t>(enough));
}

std::uint64_t epochs_of_round(const BenchOptions& options, double epoch_bytes, std::uint64_t epoch_batches) {
  const double batches = static_cast<double>(std::max<std::uint64_t>(1, epoch_batches));
  const double epochs = std::min(options.round_bytes / std::max(epoch_bytes, 1.0), options.round_batches / batches);
  return static_cast<std::uint64_t>(std::max(1.0, epochs));
}

std::vector<std::size_t> message_sizes(std::uint64_t peers) {
  constexpr std::size_t least = std::size_t{256} << 10, buffer = std::size_t{256} << 20, counted = std::size_t{1} << 30;
  std::vector<std::size_t> sizes{std::min(least, counted / std::max<std::uint64_t>(peers, 1))};
  for (const std::size_t size : {std::size_t{1} << 20, std::size_t{8} << 20})
    if (size * peers <= buffer) sizes.push_back(size);
  return sizes;
}

Rounds::Rounds(service::Staging& staging, const BenchOptions& options)
    : staging_(staging), options_(options), limit_(staging) {
  const auto& blueprint = staging.blueprint();
  const auto schedule = blueprint.streams[0].schedule(blueprint.trainers);
  const double epoch_bytes = static_cast<double>(schedule.rows_of_epoch() * row_bytes(blueprint.schema));
  epochs_ = epochs_of_round(options, epoch_bytes, schedule.steps() * blueprint.trainers);
  steps_ = schedule.steps();
  batch_bytes_ = schedule.batch() * row_bytes(blueprint.schema);
  trainers_ = blueprint.trainers;
  start_trainers();
}

void Rounds::run(Figures& figures) {
  consume(steps_, 0);  // connects, and warms everything up
  for (unsigned repeat = 0; repeat < options_.repeats; ++repeat) {
    measure_gather(figures);
    measure_disk(figures);
    measure_alltoallv(figures);
    measure_delivery(figures);
    if (options_.compute_seconds > 0) measure_computing(figures);
  }
  measure_idle(figures);
}

void Rounds::start_trainers() {
  if (!staging_.topology().is_leader()) return;
  const auto per_node = staging_.config().trainers_per_node;
  const auto node = staging_.topology().my_node;
  for (std::uint32_t i = 0; i < per_node; ++i)
    local_.push_back(std::make_unique<BenchTrainer>(service::host::service_address(staging_.config(), node),
                                                    staging_.blueprint().streams[0].name, node * per_node + i,
                                                    trainers_, i));
}

void Rounds::measure_gather(Figures& figures) {
  all().barrier();
  double seconds = 0;
  for (std::uint64_t epoch = 0; epoch < epochs_; ++epoch) seconds += limit_.run();
  gather_seconds_ = all().max(seconds);
  const auto bytes = all().sum(limit_.bytes()) * epochs_;
  figures.gather_gbps.push_back(static_cast<double>(bytes) / gather_seconds_ / 1e9);
}

void Rounds::measure_disk(Figures& figures) {
  if (staging_.store().scratch().empty()) return;
  all().barrier();
  double seconds = 0;
  for (std::uint64_t epoch = 0; epoch < epochs_; ++epoch) seconds += limit_.run_disk();
  disk_seconds_ = all().max(seconds);
  const auto bytes = all().sum(limit_.disk_bytes()) * epochs_;
  figures.disk_gbps.push_back(static_cast<double>(bytes) / disk_seconds_ / 1e9);
  figures.on_disk = static_cast<double>(bytes) / static_cast<double>(all().sum(limit_.bytes()) * epochs_);
}

void Rounds::measure_alltoallv(Figures& figures) {
  const auto& topology = staging_.topology();
  std::vector<bool> to;
  std::uint64_t peers = 0;
  for (std::uint32_t stager = 0; stager < topology.stagers(); ++stager) {
    to.push_back(!topology.is_here(stager));
    peers += to.back();
  }
  const auto remote = all().max(limit_.remote_bytes()) * epochs_;
  const auto most_peers = all().max(peers);
  if (most_peers == 0 || remote == 0) return;
  // The best of several message sizes is the limit.
  alltoallv_seconds_ = 1e300;
  for (const auto message : message_sizes(most_peers)) {
    const auto rounds = std::max<std::uint64_t>(1, remote / (message * std::max<std::uint64_t>(peers, 1)));
    const auto most = all().max(rounds);
    const double seconds = mpi::time_alltoallv(all(), to, message, most);
    const double moved = static_cast<double>(message * std::max<std::uint64_t>(peers, 1) * most);
    alltoallv_seconds_ = std::min(alltoallv_seconds_, seconds * static_cast<double>(remote) / moved);
  }
  const auto bytes = all().sum(limit_.remote_bytes()) * epochs_;
  figures.alltoallv_gbps.push_back(static_cast<double>(bytes) / alltoallv_seconds_ / 1e9);
}

Rounds::Taken Rounds::consume(std::uint64_t batches, double compute_seconds) {
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

void Rounds::measure_delivery(Figures& figures) {
  const auto batches = steps_ * epochs_;
  const auto taken = consume(batches, 0);
  // What stood in the rings when the round began was not delivered in it.
  const auto slots = staging_.blueprint().slots_of(staging_.config(), 0);
  const auto counted = batches - std::min<std::uint64_t>(batches - 1, slots);
  const double bytes = static_cast<double>(counted * batch_bytes_ * trainers_);
  figures.delivered_gbps.push_back(bytes / taken.slowest / 1e9);
  figures.samples_per_s.push_back(bytes / static_cast<double>(row_bytes(staging_.blueprint().schema)) / taken.slowest);
  figures.trainer_wait_share.push_back(taken.waiting / taken.trainers);
  figures.wait_us.insert(figures.wait_us.end(), taken.wait_us.begin(), taken.wait_us.end());
  figures.delivered_of_gather.push_back(figures.delivered_gbps.back() / figures.gather_gbps.back());
  if (!figures.disk_gbps.empty()) {
    const auto limit = std::min(figures.gather_gbps.back(), figures.disk_gbps.back() / std::max(figures.on_disk, 1e-9));
    figures.delivered_of_disk.push_back(figures.delivered_gbps.back() / limit);
  }
  if (!figures.alltoallv_gbps.empty())
    figures.exchange_of_alltoallv.push_back(
        (alltoallv_seconds_ + gather_seconds_) /
        (taken.slowest * static_cast<double>(batches) / static_cast<double>(counted)));
}

void Rounds::measure_computing(Figures& figures) {
  const auto compute = options_.compute_seconds;
  const auto batches = computed_batches(compute, staging_.config().slots);
  const auto taken = consume(batches, compute);
  figures.trainer_busy_share.push_back(1 - taken.waiting / taken.trainers);
  figures.compute_seconds = compute;
  figures.computed_gbps = static_cast<double>(batch_bytes_ * trainers_) / compute / 1e9;
}

void Rounds::measure_idle(Figures& figures) {
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

}  // namespace headrace::commands::bench
