// The memory by which this stager delivers: per stream, per place on the node, one ring. Host's thread, once trainers
// come.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "config/config.hpp"
#include "ipc/reserve.hpp"
#include "job/topology.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/delivery/ring_keeper.hpp"

namespace headrace::service::delivery {

class Rings {
 public:
  /// Makes, reserves and faults in the rings of this stager. tell: as in reserve.hpp.
  Rings(const config::Config& config, const blueprint::Blueprint& blueprint, const job::Topology& topology,
        unsigned threads, const ipc::BeforeTaking& tell = {});

  /// Null where another stager serves it.
  RingKeeper* at(std::uint32_t stream, std::uint32_t place) const { return keepers_[stream][place].get(); }
  /// Calls back for each of this stager's.
  void each(const std::function<void(std::uint32_t stream, std::uint32_t place, RingKeeper& keeper)>& call) const;
  /// The same ring as at the start, made anew: any thread. Error if there is too little memory.
  std::unique_ptr<ring::Producer> make(std::uint32_t stream, std::uint32_t place,
                                       const ipc::BeforeTaking& tell = {}) const;

 private:
  const config::Config& config_;
  const blueprint::Blueprint& blueprint_;
  const unsigned threads_;
  std::vector<std::vector<std::unique_ptr<RingKeeper>>> keepers_;
};

}  // namespace headrace::service::delivery
