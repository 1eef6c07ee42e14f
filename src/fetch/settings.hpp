// How files are got from URLs. A plain value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/wait.hpp"

namespace headrace::fetch {

struct Settings {
  unsigned connections = 16;                          ///< at a time
  unsigned retries = 5;                               ///< of one file
  std::chrono::milliseconds timeout{30'000};          ///< without anything coming
  std::chrono::milliseconds longest_pause{60'000};    ///< whatever a server asks for
  std::vector<std::string> headers{};                 ///< of each request; secrets
  std::uint64_t most_bytes = std::uint64_t{1} << 36;  ///< of one file
  /// Before the first retry; the next are twice as long, and so on.
  std::chrono::milliseconds first_pause = wait_of("HEADRACE_WAIT_RETRY", std::chrono::milliseconds{500});
};

}  // namespace headrace::fetch
