// Sleeping on a word of shared memory (futex, between processes). Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace headrace::ipc {

enum class FutexResult {
  woken,    ///< by futex_wake, or spuriously: look again
  changed,  ///< the word was not `expected`: did not sleep
  timeout,
  interrupted,  ///< a signal handler ran
};

/// Sleeps while the word is `expected`, at most for `timeout`.
FutexResult futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::nanoseconds timeout);
/// Wakes everybody who sleeps on the word.
void futex_wake(const std::atomic<std::uint32_t>& word);

}  // namespace headrace::ipc
