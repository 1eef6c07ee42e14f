// How a command begins that runs under MPI, alone or launched: how long it waits for others, MPI, who takes part, where
// its words go, whether all were told the same; and who tells an error that all have in common. One for each process,
// on the thread that owns MPI; what catches signals stands before it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "config/config.hpp"
#include "job/party.hpp"
#include "mpi/session.hpp"

namespace headrace::job {

/// What a command is in the job, and how it speaks there.
struct Part {
  Role role = Role::alone;
  std::string title;     ///< before each line: "headrace stats"
  bool quiet = false;    ///< the first, too, says no more than warnings and errors
  bool verbose = false;  ///< all tell more
  std::optional<Ranks> ranks{};
};

class Launch {
 public:
  /// Collective over the job. Nothing is logged before.
  Launch(const config::Config& config, const Part& part);
  /// Of a command that has no configuration, and logs nothing.
  explicit Launch(Role role);

  /// The processes of this role.
  const mpi::Comm& mine() const { return party_.mine; }
  /// The service in this job.
  const Identity& service() const { return party_.service; }
  /// Whether this process speaks for all of them.
  bool speaks() const { return party_.mine.rank() == 0; }

  /// Makes sure that all have the same configuration, then runs `work`. Its Errors are the same on all processes: where
  /// there is one, `cleanup` runs with it, the first process throws it, and the others return 0; the first's exit code
  /// is the job's (were the others to fail as well, the launcher might kill the first before it has spoken). Where
  /// processes of another role wait, the job is ended. Returns what work returns.
  int run(
      const config::Config& config, const std::function<int()>& work,
      const std::function<void(const Error&)>& cleanup = [](const Error&) {}) const;

 private:
  mpi::Session session_;
  Party party_;
};

}  // namespace headrace::job
