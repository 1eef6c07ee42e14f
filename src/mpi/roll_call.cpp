#include "mpi/roll_call.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "mpi/check.hpp"
#include "mpi/patience.hpp"

namespace headrace::mpi {

namespace {

constexpr int tag = 1;                               // nothing else is sent on the communicators of collectives
constexpr int eager_tries = 200;                     // most collectives are complete at once
constexpr auto nap = std::chrono::microseconds(50);  // then the core is the trainers'
constexpr double tell_every_s = 60;
constexpr double settle_s = 1;
constexpr double grace = 1.2;  // for the first rank to say who is missing before others say that it is

}  // namespace

void RollCall::arrive() {
  ++calls_;
  if (rank_ == 0) {
    arrived_[0] = calls_;
    return;
  }
  // Small enough to be on its way when this returns, whatever the first rank is doing.
  static constexpr char here = 0;
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Isend(&here, 1, MPI_CHAR, 0, tag, comm_, &request), "MPI_Isend");
  check(MPI_Request_free(&request), "MPI_Request_free");
}

void RollCall::hear() {
  for (;;) {
    int there = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, tag, comm_, &there, &status), "MPI_Iprobe");
    if (!there) return;
    char byte = 0;
    check(MPI_Recv(&byte, 1, MPI_CHAR, status.MPI_SOURCE, tag, comm_, MPI_STATUS_IGNORE), "MPI_Recv");
    ++arrived_[static_cast<std::size_t>(status.MPI_SOURCE)];
  }
}

bool RollCall::all_here() const {
  return std::all_of(arrived_.begin(), arrived_.end(), [&](std::uint64_t calls) { return calls >= calls_; });
}

bool RollCall::settle() noexcept {
  if (rank_ != 0) return true;  // what this rank sent is the first's to receive
  try {
    for (const auto begin = Clock::now(); seconds_since(begin) < settle_s; std::this_thread::sleep_for(nap)) {
      hear();
      if (all_here()) return true;
    }
  } catch (const std::exception&) {
  }
  return false;
}

std::string RollCall::name(std::size_t rank) const {
  return rank < names_.size() ? names_[rank] : fmt::format("rank {}", rank);
}

std::string RollCall::missing() const {
  std::vector<std::string> names;
  for (std::size_t rank = 0; rank < arrived_.size(); ++rank)
    if (arrived_[rank] < calls_) names.push_back(name(rank));
  return some_of(names);
}

void RollCall::wait(MPI_Request& collective) {
  const auto begin = Clock::now();
  auto tell_at = patience().tell_after_s;
  for (int tries = 0;; ++tries) {
    int done = 0;
    check(MPI_Test(&collective, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (rank_ == 0 && (done || tries >= eager_tries)) hear();
    if (done) return;
    if (tries < eager_tries) {
      sched_yield();
      continue;
    }
    const auto waited = seconds_since(begin);
    const auto limit = patience().limit_s;
    if (rank_ == 0 && waited >= tell_at) {
      if (const auto who = missing(); !who.empty())
        tell(fmt::format("waiting for {} for {:.0f} s; the others are there", who, waited));
      tell_at = waited + tell_every_s;
    }
    if (limit > 0 && waited >= limit * (rank_ == 0 ? 1 : grace)) {
      const auto who = rank_ == 0 ? missing() : name(0);
      give_up(
          fmt::format("{} did not come within {:.0f} s to where the others wait (it hangs, its disk or its node "
                      "does); look at it, or raise start-timeout",
                      who.empty() ? "a message" : who, waited));
    }
    std::this_thread::sleep_for(nap);
  }
}

}  // namespace headrace::mpi
