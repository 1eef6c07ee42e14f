// The parts of a running service, in the order in which they come to be: topology, blueprint, memory, samples,
// trainers. One per stager; every function is collective over all stagers and called by the thread that owns MPI. An
// error on one stager is the same error on all.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/workers.hpp"
#include "config/config.hpp"
#include "data/selection/selected_samples.hpp"
#include "exchange/engine.hpp"
#include "job/topology.hpp"
#include "reader/load.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/blueprint/memory.hpp"
#include "service/blueprint/need.hpp"
#include "service/blueprint/window_quality.hpp"
#include "service/delivery/memory_watch.hpp"
#include "service/delivery/supply.hpp"
#include "service/delivery/trainers.hpp"
#include "service/host/host.hpp"
#include "service/loading/arrival_loader.hpp"
#include "service/loading/loader.hpp"
#include "store/node_store.hpp"

namespace headrace::service {

/// Whom the samples are for: trainers that come, or this process, which writes them somewhere.
enum class Purpose { trainers, files };

class Staging {
 public:
  using MakeHost =
      std::function<std::unique_ptr<host::Host>(const config::Config& config, const job::Topology& topology)>;

  /// Takes the service's name. make_host: of one that tells otherwise who has that name already, or has a word; not
  /// collective.
  Staging(const config::Config& config, const mpi::Comm& world, Purpose purpose = Purpose::trainers,
          const MakeHost& make_host = nullptr);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// Looks at the files, draws the blueprint, checks memory; prints what was found. (Whoever waits for the service or
  /// stops it is answered since the constructor.)
  void begin();
  /// Takes all memory: store and rings, faulted in.
  void reserve();
  /// Reads the samples into the store.
  void load();
  /// Lets trainers in. Returns once trainers can attach.
  void open();
  /// Instead of open(), for Purpose::files: lets nobody in. From here on rows can be taken from supply(), by workers(),
  /// while run_until() moves what must cross nodes.
  void keep();
  /// Makes run_until() ask again. Any thread.
  void wake();
  /// Moves what must cross nodes, until the service is over.
  void run();
  /// The same, until finished() says so (asked in this thread): the service goes on afterwards with another call.
  void run_until(const std::function<bool()>& finished);

  const config::Config& config() const { return config_; }
  const job::Topology& topology() const { return topology_; }
  const blueprint::Blueprint& blueprint() const { return *blueprint_; }
  const store::NodeStore& store() const { return *store_; }
  std::span<std::byte> slab() {
    return {store_->column(topology_.local(), 0), store_->layout().slab_bytes(topology_.local())};
  }
  host::Host& host() { return *host_; }
  const delivery::Supply& supply() const { return *supply_; }
  Workers& workers() { return *workers_; }
  unsigned threads() const { return threads_; }
  double reserve_seconds() const { return reserve_seconds_; }
  const reader::LoadReport& load_report() const { return load_report_; }
  double load_seconds() const { return load_seconds_; }
  /// Bytes that a node needs for everything.
  blueprint::Need need(const job::Node& node) const;

 private:
  void look_at_files();
  void place_samples(const data::selection::SelectedSamples& selected, const blueprint::MemoryLimit& limit);
  /// What is there, and what this stager has of it for itself.
  struct MemoryLook {
    blueprint::MemoryLimit limit;
    std::uint64_t own = 0;
  };
  /// Collective. What is there now; what stagers of this node took since the first look is part of the need, and counts
  /// as being there.
  blueprint::MemoryLimit look_again(const MemoryLook& first);
  void check_memory(const blueprint::MemoryLimit& first, const blueprint::MemoryLimit& now);
  void check_descriptors();
  void print_blueprint(const blueprint::MemoryLimit& limit) const;
  void print_mix(std::uint32_t stream) const;
  void print_windows(std::uint32_t stream) const;
  /// Collective.
  void tell_start() const;
  void connect_nodes();
  void print_stream(std::uint32_t number) const;
  void make_store();
  std::unique_ptr<delivery::MemoryWatch> make_memory_watch();
  void make_loader(host::Host::Service& service);
  void make_arrival_loader(host::Host::Service& service);
  reader::LoadOptions load_options() const;
  std::vector<std::vector<std::uint64_t>> hash_streams() const;

  const config::Config config_;
  const Purpose purpose_;
  job::Topology topology_;
  unsigned threads_;
  catalog::Contents contents_;  // until everything is loaded
  std::unique_ptr<blueprint::Blueprint> blueprint_;
  std::unique_ptr<host::Host> host_;
  std::unique_ptr<store::NodeStore> store_;
  std::unique_ptr<delivery::DrawnEpochs> draws_;
  std::unique_ptr<delivery::Supply> supply_;
  std::unique_ptr<delivery::Rings> rings_;
  std::unique_ptr<exchange::Engine> engine_;
  std::unique_ptr<store::ScratchReaders> readers_;   // of the disk, where the store has a part of it there
  std::unique_ptr<blueprint::Windowing> windowing_;  // and the next two, where streams are read window by window
  std::unique_ptr<delivery::Panes> panes_;
  std::unique_ptr<loading::Loader> loader_;
  std::unique_ptr<delivery::Arrivals>
      arrivals_;  // and the next, where samples come to memory while trainers are served
  std::unique_ptr<loading::ArrivalLoader> arrival_loader_;
  std::vector<std::optional<blueprint::WindowQuality>> qualities_;  // per stream that is shuffled in windows
  std::unique_ptr<Workers> workers_;  // goes first: nothing of the above may be used after it
  std::uint64_t buffers_taken_ = 0;   // of those of this node, before memory was checked
  double reserve_seconds_ = 0, load_seconds_ = 0;
  reader::LoadReport load_report_;
};

}  // namespace headrace::service
