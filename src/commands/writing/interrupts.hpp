// What signals do to a command that writes, and who is told where it gives up waiting: before anything is written they
// end it at once; then the first one ends it soon, the next at once. The thread that owns MPI.
#pragma once

#include <functional>
#include <string>

#include "job/signals.hpp"
#include "mpi/comm.hpp"
#include "service/host/host.hpp"

namespace headrace::commands::writing {

class Interrupts {
 public:
  explicit Interrupts(job::Signals& signals) : signals_(signals) {}
  ~Interrupts() {
    forget();
    signals_.on_end(nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  /// From here on the output is this run's: whatever ends the process calls that, any thread. It outlives forget().
  void when_it_ends(std::function<void()> let_go);
  /// From here on there is a host that others ask, which outlives forget(). tidy: takes away what was begun, any
  /// thread.
  void before_writing(service::host::Host& host, std::function<void()> tidy);
  /// From here on something is written. stop: makes the work end soon, any thread.
  void while_writing(std::function<void(const std::string& signal)> stop);
  /// What is written stays, and more is to be done that takes a while: signals end it at once again.
  void after_writing();
  /// All is written, and its name is the file's: there is nothing to go on with. Signals end what is still done at once.
  void complete();
  /// The end has begun: the first signal changes nothing any more, neither what is told nor the exit code.
  void forget();

 private:
  job::Signals& signals_;
  service::host::Host* host_ = nullptr;  ///< from before_writing() on
  std::function<void()> let_go_ = [] {};
};

/// Collective: the reason of the first stager that has one.
std::string agreed_reason(const mpi::Comm& all, const std::string& mine);

}  // namespace headrace::commands::writing
