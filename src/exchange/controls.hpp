// Control messages of the engine: texts between stagers, sent beside requests. One thread: the one that owns MPI.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exchange/in_flight.hpp"

namespace headrace::exchange {

class Controls {
 public:
  /// in_flight must outlive this, and need not be there yet.
  explicit Controls(InFlight& in_flight) : in_flight_(in_flight) {}

  /// Error if the text is longer than any stager keeps room for.
  void send(int to, const std::string& text);
  void sent(std::uint32_t number) { texts_[number] = nullptr; }

  static std::string text_of(std::span<const std::byte> message);

 private:
  InFlight& in_flight_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> texts_;  // under way, by number; null: a free number
};

}  // namespace headrace::exchange
