// What a process of ours does first, before it opens anything and before other threads start; and what the programs that
// it starts get back.
//
//   1. Descriptors 0, 1 and 2 are open, on /dev/null where the caller closed them: else the next socket or file would
//      become one of them, and every line of the log would be written into it.
//   2. SIGUSR1, SIGUSR2 (batch systems warn with them) and SIGXFSZ (a log beyond `ulimit -f`; the write fails instead)
//      do nothing, unless a command takes them.
//   3. SIGCHLD has its default, whatever the caller made of it: else nobody could wait for a child.
//   4. The soft limit of open files is the hard one.
#pragma once

#include <signal.h>

namespace headrace {

void start_process() noexcept;

/// Whether descriptor 1 was closed when the process started: whatever is printed is lost.
bool output_was_closed() noexcept;

/// From now on a signal does nothing in this process; children get it back as we did.
void ignore_signal(int signal) noexcept;

/// For a child between fork and exec: signals and limits as this process was given them. Async-signal-safe.
void restore_for_child() noexcept;
/// The same for posix_spawn: the signals that are to be set to their default.
sigset_t signals_to_restore() noexcept;

}  // namespace headrace
