// A process that crashes says so in one line of ours, which names the file and dataset that the thread was reading, and
// then ends by the same signal: launchers and other ranks see it die as they always did.
#pragma once

namespace headrace {

/// SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT are told on standard error from now on, in all threads. No core file is
/// left: a stager holds most of its node's memory, and all ranks of a job may crash on one file. To be called before
/// MPI starts, which leaves handlers alone that it finds, and by the main thread, which gets a stack of its own for
/// this: it is told, too, where its stack was full. Nothing is done under sanitizers, which have their own reports.
void tell_crashes() noexcept;

/// "SIGSEGV"; of signals that no crash raises "signal 15".
const char* name_of_crash(int signal) noexcept;  ///< nullptr: no crash raises it

}  // namespace headrace
