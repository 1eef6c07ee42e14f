// The trainers of `headrace bench`: headrace-trainer processes of this node, told over pipes how many batches to take.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ipc/fd.hpp"

namespace headrace::commands::bench {

/// What one trainer did in one round.
struct TrainerRound {
  double seconds = 0;
  std::uint64_t rows = 0;
  std::vector<double> wait_us;  ///< per batch
};

class BenchTrainer {
 public:
  BenchTrainer(const std::string& service, const std::string& stream, std::uint32_t rank, std::uint32_t world_size,
               std::uint32_t local_rank);
  ~BenchTrainer();  ///< goodbye, or SIGKILL after a while
  BenchTrainer(const BenchTrainer&) = delete;
  BenchTrainer& operator=(const BenchTrainer&) = delete;

  void take(std::uint64_t batches, double compute_seconds);  ///< on each
  /// Blocks until it is done; Error if the trainer fails.
  TrainerRound finish();

 private:
  ipc::Fd to_, from_;
  int pid_ = -1;
  std::string pending_;
};

}  // namespace headrace::commands::bench
