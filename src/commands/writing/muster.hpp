// How stagers that work each for itself, for hours perhaps, come to an end together:
//
//   done or failed --word--> first stager;   all are done, or one has failed --over--> all, once
//
// Who is told that it is over early stops soon. Only the thread that owns MPI.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "mpi/comm.hpp"
#include "mpi/p2p.hpp"

namespace headrace::commands::writing {

class Muster {
 public:
  /// Collective.
  explicit Muster(const mpi::Comm& all);

  /// Whether another stager has failed, so that there is no use in going on.
  bool told_to_stop();
  /// Collective: until all have come. failed: what became of this stager's work. progress: of all stagers together, as
  /// anybody sees it; where it stands still for longer than patience lasts, this process ends.
  void wait(bool failed, const std::function<std::uint64_t()>& progress);

 private:
  enum Word : std::uint64_t { none, done, failed, over };
  bool is_first() const { return all_.rank() == 0; }
  /// Moves what can be moved. Whether nothing is left to wait for.
  bool pump();
  void say_over();
  std::string missing() const;

  const mpi::Comm& all_;
  const mpi::Mailbox mail_;
  std::vector<std::uint64_t> words_;  ///< at the first: of each
  std::uint64_t word_ = none;         ///< of this stager, and sent
  std::uint64_t over_out_ = over, over_in_ = none;
  mpi::Transfers in_, out_;
  bool said_over_ = false;
};

}  // namespace headrace::commands::writing
