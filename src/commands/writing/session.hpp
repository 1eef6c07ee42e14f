// One stream on its way into files: the same staging as serve, without trainers. Made, and called, by the thread that
// owns MPI; stop() by any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "commands/writing/block_run.hpp"
#include "commands/writing/claim.hpp"
#include "commands/writing/interrupts.hpp"
#include "commands/writing/meter.hpp"
#include "commands/writing/rows.hpp"
#include "config/config.hpp"
#include "job/topology.hpp"
#include "mpi/comm.hpp"
#include "service/host/host.hpp"
#include "service/staging.hpp"

namespace headrace::commands::writing {

/// The stream of that name ("": train, or the only one). UsageError that names those there are.
const config::StreamConfig& stream_named(const config::Config& config, const std::string& name);

/// The configuration of one that writes this path, and is no service: the path gives it a name, so that no two write the
/// same on a node.
config::Config named_for(config::Config config, const std::string& path);

/// UsageError where another run on this node is writing the path.
void require_no_other_writer(const std::string& path);

/// The host of one that writes the path, named for it: the same UsageError where another run has the name by now.
std::unique_ptr<service::host::Host> host_of_writer(const config::Config& named, const job::Topology& topology,
                                                    const std::string& path);

/// What the staging is told: this stream alone, and no trainers to speak of; named for the path.
config::Config staged(config::Config config, const std::string& stream, const std::string& path);

/// Why the order may be another than that of a service, which has all streams of the configuration; "": it is the same.
std::string other_order(const config::Config& config, const std::string& stream);

class Session {
 public:
  /// config: staged() for this path.
  Session(const config::Config& config, const mpi::Comm& world, const std::string& path, Interrupts& interrupts);

  service::Staging& staging() { return staging_; }
  const job::Topology& topology() const { return staging_.topology(); }

  /// Reads the samples. Collective.
  void load();
  /// From here on there are rows. Collective.
  void keep(bool provenance);
  const Rows& rows() const { return *rows_; }

  /// Lets the run go until it is finished; pump() is called meanwhile, again and again, in this thread, and after it
  /// (so long until it says that nothing is left). bytes_per_row: for the figures that people see.
  void run(
      BlockRun& run, const std::function<bool()>& pump = [] { return true; });
  /// Waits for all stagers, and serves them meanwhile. Collective.
  void wait_for_all();

  /// Ends the runs after the blocks in hand. Any thread.
  void stop(const std::string& why);
  bool stopped() const { return stopped_; }
  /// Whether one of them was: what all do together must not depend on a signal that came to one. Collective.
  bool any_stopped() const;
  std::string why_stopped() const;

  /// How much all stagers together have to write, of which so much is done: starts the figures.
  void begin_progress(std::uint64_t total_bytes, std::uint64_t done_bytes, std::uint64_t bytes_per_row);
  void end_progress();

 private:
  void tell_progress(const BlockRun& run);

  service::Staging staging_;
  std::shared_ptr<Claim> claim_;  // at the first stager
  std::unique_ptr<Rows> rows_;
  std::unique_ptr<Meter> meter_;
  std::uint64_t rows_before_ = 0;
  std::atomic<bool> stopped_ = false;
  mutable Mutex mutex_;
  std::string why_ GUARDED_BY(mutex_);
};

}  // namespace headrace::commands::writing
