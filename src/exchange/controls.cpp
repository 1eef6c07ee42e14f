#include "exchange/controls.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "exchange/request.hpp"

namespace headrace::exchange {

void Controls::send(int to, const std::string& text) {
  require(text.size() < max_message_bytes, "a control message is too long");
  auto message = std::make_unique<std::vector<std::byte>>();
  for (const char c : text) message->push_back(static_cast<std::byte>(c));
  auto free = std::find(texts_.begin(), texts_.end(), nullptr);
  if (free == texts_.end()) free = texts_.insert(free, nullptr);
  *free = std::move(message);
  in_flight_.send_control(to, static_cast<std::uint32_t>(free - texts_.begin()), **free);
}

std::string Controls::text_of(std::span<const std::byte> message) {
  return {reinterpret_cast<const char*>(message.data()), message.size()};
}

}  // namespace headrace::exchange
