// The figures that stagers gather when somebody asks how the service is doing. Plain values; as documents
// (messages.hpp) they are parts of what `headrace stat --json` shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace headrace::service::books {

/// One of the processes that are a trainer together.
struct ReplicaFigures {
  std::uint32_t replica = 0;
  std::string who{};
  std::uint64_t batches = 0;                ///< taken so far
  std::uint32_t ready = 0, unreturned = 0;  ///< batches that it could take; those, and what it holds
  bool waiting = false;
};

/// Where one trainer is and how fast it goes.
struct TrainerFigures {
  std::string stream{};
  std::uint32_t rank = 0, world_size = 1;
  std::string who{};
  std::uint32_t stager = 0;
  std::string host{};
  std::uint64_t epoch = 0, step = 0, steps = 0;
  std::uint64_t batches = 0, bytes = 0;  ///< taken so far
  std::uint64_t ready = 0;               ///< batches that it could take
  bool waiting = false;
  double trainer_wait_s = 0, stager_wait_s = 0;        ///< so far
  double gbps = 0, trainer_wait = 0, stager_wait = 0;  ///< of the last seconds: rate, and shares of time spent waiting
  std::uint32_t replicas = 1;
  std::vector<ReplicaFigures> here{};  ///< of several replicas, those that are there
};

/// A ring that a process still has which was thrown out.
struct FormerRing {
  std::string stream{}, host{};
  std::uint64_t bytes = 0;
  std::string text{};
};

struct NodeMemory {
  std::uint64_t store_bytes = 0, rings_bytes = 0, retired_bytes = 0, private_bytes = 0, available_bytes = 0;
  std::uint64_t scratch_bytes = 0, scratch_read_bytes = 0;  ///< on its disk; read from there so far
  std::uint64_t window_read_bytes = 0;                      ///< of files, window by window, so far
};

/// Of a stream that is read window by window.
struct WindowFigures {
  std::uint64_t epoch = 0, window = 0, windows = 0;  ///< the first of the two in memory; windows of an epoch
  std::uint32_t opened = 0;                          ///< of these two
  double read = 0;                                   ///< share of the one that is being read
  std::string held_by{};                             ///< for whom the first one is kept
};

struct StreamFigures {
  std::string name{};
  std::uint64_t samples = 0;
  std::uint32_t world_size = 0;
  std::uint64_t epochs_complete = 0, samples_delivered = 0;
  bool exactly_once = true;
  std::optional<WindowFigures> window{};
};

/// Of samples that are still being read while trainers are served.
struct ArrivalFigures {
  std::uint64_t windows = 0, opened = 0;  ///< of epoch 0; that are in memory
  std::uint64_t window = 0;               ///< that is being read
  double read = 0;                        ///< share of it
};

/// What only stager 0 knows.
struct ServiceFigures {
  std::uint64_t trainers = 0;
  std::vector<StreamFigures> streams{};
  std::string ending{};  ///< why the service ends, if it does
  std::optional<ArrivalFigures> arrival{};
};

}  // namespace headrace::service::books
