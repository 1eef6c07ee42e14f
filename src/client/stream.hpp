// One connection to a service: what is behind an hr_stream.
//
//   1. Any thread may call; acquire() lets one in at a time.
//   2. close() waits for the calls in progress; none may begin after it.
//   3. In a forked child forget() has run: no call gets further than forked().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "client/deadline.hpp"
#include "client/files.hpp"
#include "client/handshake.hpp"
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
  Result seek(std::uint64_t epoch, std::uint64_t step);
  /// Asks whether the other trainers want to go on there, too, then seeks.
  Result resume(std::uint64_t epoch, std::uint64_t step, double timeout);
  /// Asks for the table of files, once; sets *files while the result is HR_OK.
  Result files(const std::vector<hr_file>*& files);
  hr_info info() const;
  hr_stats stats() const;
  void close(bool goodbye, bool keep_mapping);

  /// In a forked child, by the fork handler: its copies of socket, bell and pidfd are closed, so that the service
  /// notices when the parent dies.
  void forget() noexcept;
  bool forked() const { return forked_; }

  /// A call in progress; tests false when the stream is being closed.
  class Visit {
   public:
    explicit Visit(Stream& stream) : stream_(stream) {
      // seq_cst, with closing_ and calls_ read in the opposite order by close(): one of the two sees the other.
      stream_.calls_.fetch_add(1, std::memory_order_seq_cst);
      welcome_ = !stream_.closing_.load(std::memory_order_seq_cst);
    }
    // release: what the call did happens before close() goes on.
    ~Visit() { stream_.calls_.fetch_sub(1, std::memory_order_release); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    explicit operator bool() const { return welcome_; }

   private:
    Stream& stream_;
    bool welcome_ = false;
  };

 private:
  Result next(const Deadline& deadline, ring::Lease& lease);
  std::optional<Result> sleep(const Deadline& deadline);
  void fill(const ring::Lease& lease, hr_batch& batch);
  /// Nothing once it is our turn to listen to the service.
  std::optional<Result> take_turn(std::unique_lock<Turn>& turn, const Deadline& deadline);
  Result check_place(std::uint64_t epoch, std::uint64_t step) const;
  /// Sends it, and listens until the answer was heard. what: "whether ..."
  Result ask(const std::string& question, const std::function<bool()>& answered, const std::string& what,
             const Deadline& deadline);
  const std::vector<hr_file>* known_files() const;
  bool lost();
  void listen();
  void hear(const ipc::Message& message);
  Result timed_out(const Deadline& deadline) const;
  Result exhausted() const;
  std::string stager() const;

  const Info info_;
  ipc::Connection connection_;
  ipc::Fd stager_;
  ring::Consumer consumer_;
  std::vector<void*> pointers_;  // of all fields of all slots
  bool forked_ = false;          // written in a child by its only thread

  Turn turn_;                // whose acquire() it is; guards what follows, up to the empty line
  std::string lost_;         // why the service is lost, once it is
  int lost_code_ = HR_LOST;  // or HR_REFUSED: it is there, and does not want us
  Clock::time_point listened_{}, listen_next_{};
  std::uint64_t questions_ = 0;         // asked by resume()
  std::optional<ring::Agreed> answer_;  // to the last of them

  mutable std::mutex mutex_;  // guards what follows, and sending
  std::uint64_t epoch_, step_;
  hr_stats stats_{};
  std::optional<Files> files_;  // never changes once it is there

  std::atomic<std::uint32_t> calls_{0};
  std::atomic<bool> closing_{false};
};

}  // namespace headrace::client
