// Looks whether the memory that was there when the start reckoned is still there while it is taken, which may be a
// minute: another service that starts, trainers or a job of somebody else take some, too, and the kernel would kill.
//
//   the start reckons             |--- this stager takes a piece ---|   ...   |--- the last one ---|
//   available >= all that is needed  ^ look: available >= what the stagers of this node have still to take
//
//   1. What is still to be taken is counted by all stagers of a node together, in a page that they share: they take at
//      the same time, and what is available shrinks for all.
//   2. A piece counts as taken before it is: nobody who looks meanwhile finds too little because of it. What counts so
//      too early is 32 MB at most in each stager (ipc/reserve.cpp), no more than what is kept beside.
//   3. Who has found too little throws from then on. Whoever catches that (mpi::together) gives all back.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "ipc/fd.hpp"
#include "ipc/memory.hpp"
#include "service/blueprint/memory.hpp"

namespace headrace::service::delivery {

class MemoryWatch {
 public:
  struct Setup {
    std::string host;
    std::uint64_t beside = 0;         ///< bytes that must be left for what is taken later
    std::string way_out;              ///< "use more nodes"
    std::chrono::milliseconds every;  ///< looks; one reads some small files
    std::function<blueprint::MemoryLimit()> available;
  };
  /// One stager of the node makes the page, and passes it to the others. to_come: bytes that all of them will take.
  static ipc::Fd make_page(std::uint64_t to_come);
  MemoryWatch(const ipc::Fd& page, Setup setup);

  /// Before so many bytes are taken. Any thread. Error where there is too little for what is still to come.
  void before_taking(std::uint64_t bytes) EXCLUDES(mutex_);
  /// All is taken here: the same once more.
  void at_end() EXCLUDES(mutex_);

 private:
  /// Why it is not enough, or "". mine: bytes that are counted as taken, and are not.
  std::string look(std::uint64_t mine) const;
  std::atomic<std::int64_t>& to_come() const;

  const Setup setup_;
  ipc::Mapping page_;
  Mutex mutex_;
  std::string why_ GUARDED_BY(mutex_);
  Clock::time_point next_look_ GUARDED_BY(mutex_);  // the first one is due at once
};

}  // namespace headrace::service::delivery
