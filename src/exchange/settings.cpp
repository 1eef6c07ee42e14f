#include "exchange/settings.hpp"

#include <algorithm>
#include <chrono>

#include "base/wait.hpp"

namespace headrace::exchange {

namespace {
constexpr std::chrono::seconds tell_of_silence{10};
}  // namespace

Settings Settings::of(std::size_t nodes, std::size_t answer_row_bytes) {
  Settings settings;
  settings.answer_bytes = std::max(settings.answer_bytes, answer_row_bytes);
  settings.tell_s = std::chrono::duration<double>(wait_of("HEADRACE_WAIT_SILENCE", tell_of_silence)).count();
  // Measured on links of 1 Gbit/s: with 8 for two nodes requests wait behind answers (0.76 of the links instead of
  // 0.9); with 4 for three peers the links to those that ask little stand idle (0.83 instead of 0.86).
  const auto peers = std::max<std::size_t>(1, nodes - 1);
  settings.answers_per_peer = static_cast<unsigned>(std::clamp<std::size_t>(settings.send_buffers / peers, 2, 4));
  return settings;
}

}  // namespace headrace::exchange
