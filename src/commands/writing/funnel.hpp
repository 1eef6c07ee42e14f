// Encoded blocks of all stagers on their way to the first one, which puts them into the file in order.
//
//   worker --add()--> outbox, in order --MPI--> first stager: next block from who has it --sink()--> file
//
// Every stager says at its end that no more comes, also after a failure or a stop; the first says to all that it is
// over, so that nobody works for a file that cannot be written. One that has failed still takes what comes, and drops
// it. add() from any worker; the rest by the thread that owns MPI, on all stagers.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/mutex.hpp"
#include "formats/chunked.hpp"
#include "mpi/p2p.hpp"

namespace headrace::commands::writing {

class Funnel {
 public:
  /// blocks: numbers of all blocks that come, in order; the i-th from stager i mod size. sink: at the first stager.
  /// sent: a block of this stager is on its way or in the file.
  Funnel(const mpi::Comm& all, std::vector<std::uint64_t> blocks,
         std::function<void(const formats::EncodedBlock&)> sink, std::function<void()> sent);

  void add(formats::EncodedBlock block) EXCLUDES(mutex_);
  /// Moves what can be moved. True once all is over, here and at the first stager.
  bool pump(bool own_work_done);
  /// The first stager says that it is over: others should stop.
  bool told_to_stop() const { return told_to_stop_; }
  /// What the sink threw.
  std::exception_ptr failure() const { return failure_; }
  /// At the first stager: whether all blocks went into the file.
  bool complete() const { return next_ == blocks_.size(); }

 private:
  struct Head {
    std::uint64_t bytes = 0;
    std::uint64_t last = 0;
  };
  void send_own(bool own_work_done);
  /// At the first stager: whether something came.
  bool receive();
  void take_own(bool own_work_done);
  void stop();
  bool all_said_their_last() const;
  std::uint32_t next_source() const;
  std::optional<formats::EncodedBlock> next_of_own_in_turn();
  bool has_own() EXCLUDES(mutex_);
  void take(const formats::EncodedBlock& block);
  void say_over();
  std::optional<formats::EncodedBlock> next_of_own() EXCLUDES(mutex_);
  std::uint32_t owner(std::size_t place) const { return static_cast<std::uint32_t>(place % size_); }
  bool poll(mpi::Transfers& transfers);

  const std::uint32_t me_, size_;
  const std::vector<std::uint64_t> blocks_;
  const std::function<void(const formats::EncodedBlock&)> sink_;
  const std::function<void()> sent_;
  mpi::Mailbox mail_;
  Mutex mutex_;
  std::map<std::uint64_t, formats::EncodedBlock> outbox_ GUARDED_BY(mutex_);

  // The thread that owns MPI.
  std::size_t own_ = 0;  // place of this stager's next block
  Head head_out_;        // what is under way from here, one at a time
  std::vector<std::byte> body_out_;
  mpi::Transfers out_;
  bool last_sent_ = false;
  std::size_t next_ = 0;         // first stager: place of the next block for the file
  std::vector<bool> done_with_;  // first stager: who has sent its last
  std::uint32_t from_ = 0;       // first stager: who is being received from
  enum class Stage { idle, head, body } stage_ = Stage::idle;
  Head head_in_;
  std::vector<std::byte> body_in_;
  mpi::Transfers in_;
  bool stopped_ = false;  // first stager: nothing goes into the file any more
  bool over_said_ = false;
  std::uint64_t over_out_ = 1, over_in_ = 0;
  mpi::Transfers over_;
  bool told_to_stop_ = false;
  std::exception_ptr failure_;
};

}  // namespace headrace::commands::writing
