#include "service/delivery/served_trainer.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace headrace::service::delivery {

void ServedTrainer::look(Clock::time_point now) {
  const auto stats = feed->ring_stats();
  pace.look(now, {static_cast<double>(stats.acquired), static_cast<double>(stats.wait_ns) / 1e9, feed->stager_wait()});
}

books::TrainerFigures ServedTrainer::figures(const std::string& stream_name, const job::Topology& topology) const {
  const auto at = feed->position();
  const auto stats = feed->ring_stats();
  return {.stream = stream_name,
          .rank = rank,
          .world_size = world_size,
          .who = who,
          .stager = topology.me(),
          .host = topology.here().host,
          .epoch = at.epoch,
          .step = at.step,
          .steps = steps,
          .batches = stats.acquired,
          .bytes = stats.acquired * batch_bytes,
          .ready = stats.ready,
          .waiting = stats.waiting,
          .trainer_wait_s = static_cast<double>(stats.wait_ns) / 1e9,
          .stager_wait_s = feed->stager_wait(),
          .gbps = pace.per_second(0) * static_cast<double>(batch_bytes) / 1e9,
          .trainer_wait = pace.per_second(1),
          .stager_wait = pace.per_second(2),
          .replicas = replicas};
}

std::optional<std::string> ServedTrainer::strays() const {
  if (leaving) return std::nullopt;
  return following->strays(fmt::format("rank {} ({})", rank, who), feed->position(), feed->ring_stats().acquired);
}

std::string ServedTrainer::name(const std::string& stream_name) const {
  return fmt::format("trainer {} of stream {} ({})", rank, stream_name, who);
}

ring::Welcome welcome_for(const ServedTrainer& trainer, std::uint32_t replica, const config::Config& config,
                          const job::Topology& topology, const blueprint::Blueprint& blueprint,
                          const blueprint::Fingerprint& fingerprint, const ring::Producer& ring, books::Step at) {
  const auto& facts = blueprint.streams[trainer.stream];
  const auto schedule = facts.schedule(trainer.world_size);
  ring::Welcome welcome;
  welcome.service = config.name;
  welcome.stream = facts.name;
  welcome.rank = trainer.rank;
  welcome.world_size = trainer.world_size;
  welcome.batches = schedule.steps();
  welcome.samples = facts.samples;
  welcome.epochs = facts.epochs;
  welcome.batch = schedule.batch();
  welcome.slots = ring.slots();
  welcome.slot_rows = ring.layout().batch();
  welcome.epoch = at.epoch;
  welcome.step = at.step;
  welcome.generation = 1;
  welcome.fields = blueprint.schema;
  welcome.fingerprint = fingerprint;
  // Runs of the file belong to trainers there: another number of them gets other runs.
  if (facts.shuffle == plan::Shuffle::none) welcome.fingerprint["trainers"] = std::to_string(trainer.world_size);
  if (auto windows = blueprint::text_of_windows(config, facts); !windows.empty())
    welcome.fingerprint["window"] = std::move(windows);
  if (auto start = blueprint::text_of_start(config, facts); !start.empty())
    welcome.fingerprint["start"] = std::move(start);
  welcome.ring_bytes = ring.bytes();
  welcome.stager = topology.me();
  welcome.pid = getpid();
  welcome.host = topology.here().host;
  welcome.last = config::word(facts.last);
  welcome.replica = replica;
  welcome.replicas = ring.replicas();
  return welcome;
}

}  // namespace headrace::service::delivery
