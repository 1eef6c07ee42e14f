// Peers that do not answer: told early, and given up after a limit. A stager that stands still (a signal, a hanging
// disk, swapping) keeps all its connections, and shows elsewhere as slow batches only.
//
//   1. A peer is silent from its last answer on, or from the oldest request that it owes an answer to, if that is
//   later.
//   2. Silence is told once, and once more when the peer answers again.
//   3. While nobody looks it is this stager that stands still: that time counts for nobody's silence.
//
// One thread: the one that owns MPI.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace headrace::exchange {

class Silence {
 public:
  using Name = std::function<std::string(int peer)>;  ///< what a peer is called in messages

  Silence(double tell_s, double limit_s, Name name) : tell_s_(tell_s), limit_s_(limit_s), name_(std::move(name)) {}

  void answered(int peer, double now) { heard_[peer] = now; }
  /// About once a second. oldest: by peer, since when its oldest request has waited. Returns what to tell; throws Error
  /// where a request has waited beyond the limit.
  std::vector<std::string> look(double now, const std::map<int, double>& oldest);

 private:
  double silent_since(int peer, double oldest) const;

  const double tell_s_, limit_s_;
  const Name name_;
  std::map<int, double> heard_;  ///< by peer: its last answer
  std::map<int, double> told_;   ///< silent peers that were told of, since when they are silent
  double looked_ = 0, awake_ = 0;
};

}  // namespace headrace::exchange
