// What signals do to a stager. They end it within half a second, whatever its other threads are doing: they may be
// inside a collective read that nothing can interrupt, so a thread of its own says goodbye and leaves with _exit.
//
//   SIGINT, SIGTERM, SIGXCPU    end
//   SIGHUP                      ends, unless the process was started with it ignored (nohup)
//   SIGUSR1                     the state goes into the log: batch systems warn with it, and people ask
//   SIGUSR2, SIGPIPE, SIGXFSZ   nothing; a write that fails says so itself
#pragma once

#include <signal.h>

#include <functional>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "ipc/process.hpp"

namespace headrace::job {

class Signals {
 public:
  /// For this thread and all that it makes from now on. First thing in the command, before there are other threads.
  static void block();

  /// Waits for the blocked signals.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// What is to be said before leaving ("stager 1 on n03 was ended by SIGTERM"): it gets at most 0.4 s. nullptr to
  /// forget.
  void on_end(std::function<void(const std::string& what)> farewell);
  /// Asked before the farewell: true says that the process will end by itself, soon; the next signal ends it at once.
  /// nullptr to forget; it is not being called any more when this returns.
  void on_stop(std::function<bool(const std::string& what)> stop);
  /// What tells the state, briefly and without waiting for anything. nullptr to forget; until there is one, the process
  /// says that it is starting.
  void on_report(std::function<void()> report);

 private:
  void watch();
  void report();
  bool ends_by_itself(int signal);
  [[noreturn]] void end(int signal);

  Mutex calling_;  // held while stop_ is called; taken before mutex_
  Mutex mutex_;
  std::function<void(const std::string&)> farewell_ GUARDED_BY(mutex_);
  std::function<bool(const std::string&)> stop_ GUARDED_BY(mutex_);
  std::function<void()> report_ GUARDED_BY(mutex_);
  ipc::Fd arrived_;  // signalfd of those that are blocked
  ipc::Bell quit_;
  std::thread thread_;
};

}  // namespace headrace::job
