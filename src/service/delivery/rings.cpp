#include "service/delivery/rings.hpp"

#include <fmt/format.h>

namespace headrace::service::delivery {

Rings::Rings(const config::Config& config, const blueprint::Blueprint& blueprint, const job::Topology& topology,
             unsigned threads, const ipc::BeforeTaking& tell)
    : config_(config), blueprint_(blueprint), threads_(threads), keepers_(blueprint.streams.size()) {
  for (std::uint32_t s = 0; s < keepers_.size(); ++s)
    for (std::uint32_t p = 0; p < config.trainers_per_node; ++p)
      keepers_[s].push_back(p % topology.here().stagers == topology.local()
                                ? std::make_unique<RingKeeper>(make(s, p, tell))
                                : nullptr);
}

std::unique_ptr<ring::Producer> Rings::make(std::uint32_t stream, std::uint32_t place,
                                            const ipc::BeforeTaking& tell) const {
  return std::make_unique<ring::Producer>(fmt::format("headrace-{}-{}", config_.name, place), blueprint_.schema,
                                          blueprint_.ring_bytes(config_, stream), threads_,
                                          blueprint_.streams[stream].replicas, tell);
}

void Rings::each(const std::function<void(std::uint32_t, std::uint32_t, RingKeeper&)>& call) const {
  for (std::uint32_t s = 0; s < keepers_.size(); ++s)
    for (std::uint32_t p = 0; p < keepers_[s].size(); ++p)
      if (keepers_[s][p]) call(s, p, *keepers_[s][p]);
}

}  // namespace headrace::service::delivery
