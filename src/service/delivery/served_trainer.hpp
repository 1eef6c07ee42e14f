// One trainer that this stager serves: what is kept of it, and what can be said about it. Host's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "ipc/courier.hpp"
#include "ipc/process.hpp"
#include "job/topology.hpp"
#include "ring/messages.hpp"
#include "service/blueprint/fingerprint.hpp"
#include "service/books/figures.hpp"
#include "service/books/following.hpp"
#include "service/delivery/feed.hpp"
#include "service/delivery/pace.hpp"
#include "service/delivery/ring_keeper.hpp"

namespace headrace::service::delivery {

/// A process that is a trainer, or one of several that are one together.
struct Member {
  std::uint64_t trainer = 0;  ///< whose number this is
  std::uint32_t replica = 0;
  std::string who;
  std::unique_ptr<ipc::Courier> talk;
  ipc::Fd pidfd;
  ipc::Bell bell;
  unsigned rung = 0;  ///< since the last look
};

struct ServedTrainer {
  std::uint32_t replicas = 1, came = 0, here = 0;  ///< how many there are to be, have come, and are there
  std::uint32_t stream = 0, rank = 0, world_size = 1, ring = 0;
  std::uint64_t generation = 0, session = 0;
  std::string who;  ///< the first of several
  std::shared_ptr<Feed> feed;
  std::uint64_t steps = 0, batch_bytes = 0;
  std::optional<books::Following> following;
  Pace<3> pace{};  // batches taken, seconds that the trainer waited, seconds that the stager did
  bool leaving = false, stall_told = false, goodbye = true;
  std::optional<Leaver> leaver;  ///< it leaves: the last of it
  Clock::time_point since = Clock::now();

  /// Keeps its pace.
  void look(Clock::time_point now);
  books::TrainerFigures figures(const std::string& stream_name, const job::Topology& topology) const;
  /// Whom of its stream it does not follow to a saved state, if so.
  std::optional<std::string> strays() const;
  /// "trainer 3 of stream train (process 4711 on n03)"
  std::string name(const std::string& stream_name) const;
};

/// What one of it is told when it is in; the first batch will be that of `at`. ring: the memory that it gets.
ring::Welcome welcome_for(const ServedTrainer& trainer, std::uint32_t replica, const config::Config& config,
                          const job::Topology& topology, const blueprint::Blueprint& blueprint,
                          const blueprint::Fingerprint& fingerprint, const ring::Producer& ring, books::Step at);

}  // namespace headrace::service::delivery
