// Lines for a descriptor that may not take them now: a terminal stopped by Ctrl-S, a pipe that nobody reads. Whoever
// logs never waits for it. Any thread.
//
//   1. Lines go out at once and in order where the descriptor takes them. Otherwise they are kept, up to a limit, and
//   go
//      out as soon as it does: a thread waits for that, which is there only while something is kept.
//   2. Beyond the limit the oldest are lost, and a line in their place says how many.
//   3. What the descriptor refuses for good (a closed pipe, a full disk) is dropped.
//   4. Others who write to the same file, terminal or pipe find it as it was: no flag of theirs is changed.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace headrace::log {

class PatientSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// fd: stays open as long as this; SIGPIPE is ignored. most_kept: bytes. last_wait: for what is still kept at the
  /// end.
  explicit PatientSink(int fd, std::size_t most_kept = 1u << 20,
                       std::chrono::milliseconds last_wait = std::chrono::seconds(1));
  ~PatientSink() override;

 private:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

  // All under the sink's mutex.
  std::string line(const spdlog::details::log_msg& message);
  void keep(std::string text);
  void write_kept();
  bool tell_what_is_lost();
  std::size_t write_some(const std::string& text, std::size_t from);
  bool takes_some() const;
  void wait_beside();

  void write_until_nothing_is_kept();  // in the thread

  int fd_;
  bool own_ = false;
  bool asked_first_ = false;  ///< it would block: poll() tells whether it takes a little
  const std::size_t most_kept_;
  const std::chrono::milliseconds last_wait_;
  std::deque<std::string> kept_;
  std::size_t kept_bytes_ = 0, written_ = 0;  ///< of the first of them
  std::uint64_t lost_ = 0;                    ///< lines before the first one of which nothing is written
  bool waits_ = false, ending_ = false;
  std::thread waiter_;
};

}  // namespace headrace::log
