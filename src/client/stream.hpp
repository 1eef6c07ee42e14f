// One connection to a service: what is behind an hr_stream.
//
//   1. Any thread may call; acquire() lets one in at a time.
//   2. close() waits for the calls in progress; none may begin after it.
//   3. In a forked child forget() has run: no call gets further than forked().
//   4. release(), info() and stats() never wait for the service: nothing is sent or awaited with mutex_ held.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "client/calls.hpp"
#include "client/deadline.hpp"
#include "client/files.hpp"
#include "client/handshake.hpp"
#include "client/inbox.hpp"
#include "client/info.hpp"
#include "client/result.hpp"
#include "client/turn.hpp"
#include "ring/consumer.hpp"

namespace headrace::client {

class Stream {
 public:
  explicit Stream(Session session);

  Result acquire(double timeout, hr_batch& batch);
  Result release(std::uint32_t lease, bool consumed);
  /// The batch acquired last comes again.
  Result put_back(std::uint32_t lease);
  Result seek(std::uint64_t epoch, std::uint64_t step);
  /// Asks whether the other trainers want to go on there, too, then seeks.
  Result resume(std::uint64_t epoch, std::uint64_t step, double timeout);
  /// One of several replicas, not the first: goes on where replica 0 sought.
  Result follow(double timeout);
  /// Asks for the table of files, once; sets *files while the result is HR_OK.
  Result files(const Files*& files);
  hr_info info() const;
  hr_stats stats() const;
  void close(bool goodbye, bool keep_mapping);

  /// In a forked child, by the fork handler: its copies of socket, bell and pidfd are closed, so that the service
  /// notices when the parent dies.
  void forget() noexcept;
  bool forked() const { return forked_; }
  /// To be visited by every call but close().
  Calls& calls() { return calls_; }

 private:
  /// seeks: how many there had been when the batch was taken.
  Result next(const Deadline& deadline, ring::Lease& lease, std::uint64_t& seeks) REQUIRES(turn_);
  std::optional<Result> sleep(const Deadline& deadline) REQUIRES(turn_);
  void fill(const ring::Lease& lease, std::uint64_t seeks, hr_batch& batch) EXCLUDES(mutex_);
  /// HR_REFUSED unless this is the one that seeks.
  Result require_leader() const;
  bool shared() const { return info_.welcome().replicas > 1; }
  Result check_place(std::uint64_t epoch, std::uint64_t step) const;
  /// HR_OK once it is out; the service need not have read it.
  Result say(const std::string& text, const Deadline& deadline) REQUIRES(sending_);
  /// Says the question, and listens until it is answered. what: "whether ..."
  Result ask(const std::string& question, bool (Inbox::*answered)() const, const std::string& what,
             const Deadline& deadline) REQUIRES(turn_) EXCLUDES(sending_, mutex_);
  /// A seek that the service was told of, when so many batches had been taken.
  struct Told {
    std::uint32_t generation = 0;
    std::uint64_t epoch = 0, step = 0, batches = 0;
  };
  /// Tells the service to go there.
  Result tell_to_seek(std::uint64_t epoch, std::uint64_t step) EXCLUDES(sending_, mutex_);
  /// The place is what comes next, from now on.
  Told begin_seek(std::uint32_t generation, std::uint64_t epoch, std::uint64_t step) EXCLUDES(mutex_);
  /// Where there are replicas: waits until the service has heard it.
  Result until_led(const Told& seek) REQUIRES(sending_);
  bool is_of_now(const Told& seek, std::uint64_t epoch, std::uint64_t step) const EXCLUDES(mutex_);
  Result hears_nothing() const;
  /// Why the service hears nothing: its own last words, where it left some.
  Result why_it_hears_nothing() REQUIRES(turn_);
  Result not_our_turn(const Deadline& deadline, const std::string& whose) const;
  Result timed_out(const Deadline& deadline) const EXCLUDES(mutex_);
  Result exhausted() const;

  const Info info_;
  ipc::Connection connection_;  // one thread sends (sending_) while another listens (turn_)
  ipc::Fd stager_;
  ring::Consumer consumer_;
  std::vector<void*> pointers_;  // of all fields of all slots
  bool forked_ = false;          // written in a child by its only thread
  Calls calls_;
  std::atomic<const Files*> files_{nullptr};  // set once, to what inbox_ holds
  std::atomic<std::uint64_t> seeks_{0};
  std::atomic<bool> seek_unheard_{false};     // the service was not told: the ring will not bring what was asked for

  // Where several are taken, in this order.
  Turn turn_;  // whose acquire() it is, or question to the service; may last as long as the service likes
  Inbox inbox_ GUARDED_BY(turn_);
  Turn sending_;         // whose message goes out; lasts seconds where the service does not read
  mutable Mutex mutex_;  // for figures; never held for long
  std::uint64_t epoch_ GUARDED_BY(mutex_), step_ GUARDED_BY(mutex_);
  hr_stats stats_ GUARDED_BY(mutex_){};
  /// A signal ended the wait until it was heard.
  std::optional<Told> interrupted_ GUARDED_BY(sending_);
};

}  // namespace headrace::client
