// What a process number means: the same number is another process elsewhere, and later. Any thread.
#pragma once

#include <sys/types.h>

#include <string>

namespace headrace::mpi {

/// The processes among which a number names one, as this process sees them: those of its PID namespace, of this start
/// of the machine. One word per part; "": not known.
std::string process_place();

/// When the process of that number began, in ticks since the machine did: with its number it names that very process.
/// "": it has ended (also where nobody has fetched its exit code yet), or is not to be seen.
std::string process_start_ticks(pid_t pid);

}  // namespace headrace::mpi
