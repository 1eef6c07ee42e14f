#include "exchange/controls.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "exchange/request.hpp"

namespace headrace::exchange {

namespace {
constexpr std::byte control_mark{'C'};  // requests begin with another one
}  // namespace

void Controls::send(int to, const std::string& text) {
  require(text.size() < max_message_bytes, "a control message is too long");
  auto message = std::make_unique<std::vector<std::byte>>();
  message->push_back(control_mark);
  for (const char c : text) message->push_back(static_cast<std::byte>(c));
  auto free = std::find(texts_.begin(), texts_.end(), nullptr);
  if (free == texts_.end()) free = texts_.insert(free, nullptr);
  *free = std::move(message);
  in_flight_.send_control(to, static_cast<std::uint32_t>(free - texts_.begin()), **free);
}

bool Controls::is_control(std::span<const std::byte> message) {
  return !message.empty() && message[0] == control_mark;
}

std::string Controls::text_of(std::span<const std::byte> message) {
  const auto text = message.subspan(1);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

}  // namespace headrace::exchange
