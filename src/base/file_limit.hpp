// How many files a process may have open. Any thread, but for raise_file_limit().
//
// Systems give 1,024 by default (soft limit), for programs that keep descriptors in fd_set, and allow far more (hard
// limit) to whoever asks. Ours ask first thing, and give the programs that they start the old limit back.
#pragma once

#include <cstdint>

namespace headrace {

/// Raises the soft limit to the hard one, or to 2^20 where that is less, if the system lets us; returns what holds from
/// now on. Before other threads start.
std::uint64_t raise_file_limit() noexcept;
/// The soft limit now.
std::uint64_t file_limit() noexcept;
/// For a child between fork and exec: the limit as it was before it was raised. Async-signal-safe.
void restore_file_limit() noexcept;
/// Descriptors that this process has open.
std::uint64_t open_files();

}  // namespace headrace
