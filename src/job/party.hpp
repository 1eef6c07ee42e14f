// Who is in this MPI job. Most often stagers alone; in `mpirun headrace serve ... : headrace run -- COMMAND` also the
// processes that start trainers and keep MPI away from them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mpi/comm.hpp"

namespace headrace::job {

enum class Role : char {
  stager = 's',   ///< of headrace serve
  starter = 't',  ///< of headrace run
  alone = 'a',    ///< of a command that shares a job with no other
};

/// The service of this job: where it is found, and what tells it from others that have its name before or after it.
struct Identity {
  std::string name;
  std::string address;  ///< on this node: its name, or the path of its socket; "" where no stager of it is here
  std::string word;     ///< the same in the whole job, and in no other; "" where only the stagers take part
};

struct Party {
  mpi::Comm mine;       ///< the processes of this role
  bool shared = false;  ///< there are others in the job
  Identity service;     ///< that the stagers serve
};

/// A contiguous range of ranks, the last one included.
using Ranks = std::pair<int, int>;

/// Collective over the job; name, address: those of the service, of stagers. Errors, on all alike: roles that do not go
/// together, or stagers that do not agree on the service's name. Given `ranks`, only the stagers take part, and the
/// job's other processes may be any MPI programs.
Party meet(Role role, const std::string& name, const std::string& address,
           const std::optional<Ranks>& ranks = std::nullopt);

/// Tells it (only the first process does), then ends the whole job with this exit code. For errors that all processes
/// of a role have in common while others of the job wait.
[[noreturn]] void end_job(const mpi::Comm& mine, std::string_view message, int exit_code);

}  // namespace headrace::job
