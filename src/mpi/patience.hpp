// How long this process waits for others, and how it ends when it has waited too long.
//
// Giving up is no exception: on its way out that would close files and free communicators, which waits for the very
// ranks that are missing. The process ends where it stands, and the launcher ends the others.
#pragma once

#include <functional>
#include <string>

namespace headrace::mpi {

/// Of the whole process; set by the thread that owns MPI, while nobody waits.
struct Patience {
  double tell_after_s = 30, limit_s = 1800;              ///< limit 0: none
  std::function<void(const std::string& what)> tell;     ///< a line for the user; none: on stderr
  std::function<void(const std::string& why)> farewell;  ///< just before the process ends: to whoever depends on it
};
Patience& patience();

/// Any thread.
void tell(const std::string& what);

/// Tells why and ends this process, whatever its other threads are doing. For the thread that owns MPI, outside of it.
[[noreturn]] void give_up(const std::string& why);

/// The same for another thread, while the one that owns MPI is inside it. Others that wait, too, get a moment to tell
/// where, before the launcher ends them. Without a reason nothing is told.
[[noreturn]] void give_up_beside_mpi(const std::string& why);

}  // namespace headrace::mpi
