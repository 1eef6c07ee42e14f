#include "base/wait.hpp"

#include <cstdint>
#include <cstdlib>

namespace headrace {

std::chrono::milliseconds wait_of(const char* variable, std::chrono::milliseconds usual) {
  constexpr double longest_s = 86400;
  const char* text = std::getenv(variable);
  if (!text || *text == '\0') return usual;
  char* end = nullptr;
  const double seconds = std::strtod(text, &end);
  if (*end != '\0' || !(seconds >= 0 && seconds <= longest_s)) return usual;
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace headrace
