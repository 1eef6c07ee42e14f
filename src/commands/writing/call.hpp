// How a command that writes begins and ends: signals, MPI, its work, and what is left where that fails.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "commands/writing/interrupts.hpp"
#include "config/config.hpp"
#include "mpi/comm.hpp"

namespace headrace::commands::writing {

/// What one call does, in the thread that owns MPI.
class Work {
 public:
  virtual ~Work() = default;
  /// Collective. The exit code. Errors are the same on all stagers.
  virtual int run() = 0;
  /// After such an error: takes away what must not stay, and tells who waits.
  virtual void cleanup(const std::string& why) = 0;
};

/// Makes the work and runs it, alone or as one stager of a job. title: before each line that it logs. make: collective.
int call(const config::Config& config, const std::string& title,
         const std::function<std::unique_ptr<Work>(const mpi::Comm& all, Interrupts& interrupts)>& make);

}  // namespace headrace::commands::writing
