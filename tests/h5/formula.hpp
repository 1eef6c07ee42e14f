// The values that make_fixtures.py writes, as formula.py makes them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

inline std::string fixture(const std::string& name) {
  const char* folder = std::getenv("HEADRACE_FIXTURES");
  return std::string(folder != nullptr ? folder : ".") + "/" + name;
}

/// In 0 .. 250; signed integers are 125 less, bool is its lowest bit.
inline std::int64_t formula(std::uint64_t seed, std::uint64_t sample, std::uint64_t element) {
  return static_cast<std::int64_t>((seed * 1000003 + sample * 8191 + element * 127) % 251);
}
