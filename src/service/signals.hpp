// A signal ends a stager within half a second, whatever its other threads are doing: they may be inside a collective
// read that nothing can interrupt, so a thread of its own says goodbye and leaves with _exit.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace headrace::service {

class Signals {
 public:
  /// Blocks SIGINT, SIGTERM and SIGHUP for this thread and all that it makes from now on. First thing in the process.
  static void block();

  /// Waits for the blocked signals.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// What is to be said before leaving ("stager 1 on n03 was ended by SIGTERM"): it gets at most 0.2 s. nullptr to
  /// forget.
  void on_end(std::function<void(const std::string& what)> farewell);

 private:
  void watch();

  std::mutex mutex_;
  std::function<void(const std::string&)> farewell_;
  std::thread thread_;
};

}  // namespace headrace::service
