// The rounds of one bench: in each, a limit of the machine and the service are measured one after the other. One for
// each stager, on the thread that owns MPI; trainers are processes of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "commands/bench/limits.hpp"
#include "commands/bench/options.hpp"
#include "commands/bench/report.hpp"
#include "commands/bench/trainers.hpp"
#include "service/staging.hpp"

namespace headrace::commands::bench {

/// How many batches are taken by trainers that compute so long on each: some seconds are enough to tell how long they
/// wait, but what stands in their slots when the round begins must not weigh.
std::uint64_t computed_batches(double compute_seconds, std::uint64_t slots);

/// How many whole epochs are measured at a time; at least one.
std::uint64_t epochs_of_round(const BenchOptions& options, double epoch_bytes, std::uint64_t epoch_batches);

/// Of messages to each of so many peers at a time: their buffers fit memory, and MPI counts bytes in ints.
std::vector<std::size_t> message_sizes(std::uint64_t peers);

class Rounds {
 public:
  Rounds(service::Staging& staging, const BenchOptions& options);
  void run(Figures& figures);
  void goodbye() { local_.clear(); }

 private:
  const mpi::Comm& all() const { return staging_.topology().all; }

  void start_trainers();
  void measure_gather(Figures& figures);
  void measure_disk(Figures& figures);
  void measure_alltoallv(Figures& figures);

  /// What the trainers of all nodes did: seconds of the slowest node, and of all of them together.
  struct Taken {
    double slowest = 0, trainers = 0, waiting = 0;
    std::vector<double> wait_us;  ///< of each batch of this node's trainers
  };

  /// All trainers of all nodes take `batches` batches and compute so long on each; the thread that owns MPI moves what
  /// crosses nodes meanwhile.
  Taken consume(std::uint64_t batches, double compute_seconds);
  void measure_delivery(Figures& figures);

  /// Trainers that compute, so that most of their time need not be waiting: some seconds are enough to tell.
  void measure_computing(Figures& figures);
  void measure_idle(Figures& figures);

  service::Staging& staging_;
  const BenchOptions& options_;
  GatherLimit limit_;
  std::vector<std::unique_ptr<BenchTrainer>> local_;
  std::uint64_t epochs_ = 1, steps_ = 1, batch_bytes_ = 0;
  std::uint32_t trainers_ = 1;
  double gather_seconds_ = 0, alltoallv_seconds_ = 0, disk_seconds_ = 0;
};

}  // namespace headrace::commands::bench
