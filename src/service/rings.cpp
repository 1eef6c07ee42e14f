#include "service/rings.hpp"

#include <fmt/format.h>

namespace headrace::service {

Rings::Rings(const Config& config, const Blueprint& blueprint, const Topology& topology, unsigned threads)
    : rings_(blueprint.streams.size()) {
  for (std::uint32_t s = 0; s < rings_.size(); ++s) {
    const auto batch = blueprint.expected_batch(s);
    const auto bytes = ring::Producer::ring_bytes(blueprint.schema, batch, blueprint.slots_of(config, s));
    for (std::uint32_t r = 0; r < config.trainers_per_node; ++r)
      rings_[s].push_back(r % topology.here().stagers == topology.local()
                              ? std::make_unique<ring::Producer>(fmt::format("headrace-{}-{}", config.name, r),
                                                                 blueprint.schema, bytes, threads)
                              : nullptr);
  }
}

std::uint64_t Rings::bytes_of_node(const Config& config, const Blueprint& blueprint) {
  std::uint64_t bytes = 0;
  for (std::uint32_t s = 0; s < blueprint.streams.size(); ++s)
    bytes += config.trainers_per_node *
             ring::Producer::ring_bytes(blueprint.schema, blueprint.expected_batch(s), blueprint.slots_of(config, s));
  return bytes;
}

}  // namespace headrace::service
