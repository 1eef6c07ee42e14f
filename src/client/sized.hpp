// Structs of the C interface that grow at their end: `size`, their first member, is what the caller's header made of
// them. So a program and a library that were built at different times still understand each other: what one side does
// not know is not touched, or reads as zero. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "client/result.hpp"

namespace headrace::client {

/// No version of a struct will ever be so large: `size` was never set.
constexpr std::size_t no_such_size = 4096;

// The sizes of the first versions of the structs that callers make. They end without padding: what comes behind it in a
// newer caller's struct reads as zero.
constexpr std::size_t first_hr_options = offsetof(hr_options, progress_context) + sizeof(void*);
constexpr std::size_t first_hr_info = offsetof(hr_info, ring_bytes) + sizeof(std::size_t);
constexpr std::size_t first_hr_batch = offsetof(hr_batch, data) + sizeof(void*);
constexpr std::size_t first_hr_stats = offsetof(hr_stats, held) + sizeof(std::uint64_t);
static_assert(sizeof(hr_options) == first_hr_options + 2 * sizeof(std::int32_t) && sizeof(hr_batch) == first_hr_batch);
static_assert(sizeof(hr_info) == first_hr_info + sizeof(char*) + 2 * sizeof(std::int32_t));
static_assert(sizeof(hr_stats) == first_hr_stats);

/// Failure(HR_INVALID) unless it can be the size of a struct of the caller's. least: that of its first version.
inline void require_size(std::size_t size, std::size_t least, std::size_t ours, const std::string& name) {
  if (size >= least && size < no_such_size) return;
  throw Failure(HR_INVALID, name + ".size is " + std::to_string(size) + ", and the struct has " + std::to_string(ours) +
                                " bytes; set it to sizeof(" + name + ") before the call");
}

/// Writes `ours` as far as the caller's struct goes. What a newer caller's has beyond ours becomes zero.
template <class Struct>
void hand_out(Struct ours, Struct& theirs, std::size_t least, const std::string& name) {
  const auto size = theirs.size;
  require_size(size, least, sizeof ours, name);
  ours.size = size;
  std::memcpy(static_cast<void*>(&theirs), &ours, std::min(size, sizeof ours));
  if (size > sizeof ours) std::memset(reinterpret_cast<std::byte*>(&theirs) + sizeof ours, 0, size - sizeof ours);
}

/// Reads the caller's struct into ours; what an older caller's lacks is zero. Failure(HR_INVALID) where a newer caller
/// asks for what we do not know.
template <class Struct>
Struct taken_in(const Struct& theirs, std::size_t least, const std::string& name) {
  const auto size = theirs.size;
  require_size(size, least, sizeof theirs, name);
  Struct ours{};
  std::memcpy(static_cast<void*>(&ours), &theirs, std::min(size, sizeof ours));
  const auto* bytes = reinterpret_cast<const std::byte*>(&theirs);
  if (std::any_of(bytes + std::min(size, sizeof ours), bytes + size, [](std::byte b) { return b != std::byte{}; }))
    throw Failure(HR_INVALID, "the program sets members of " + name +
                                  " that this library does not know (" HR_VERSION
                                  " is older than the header it was compiled with); use a newer libheadrace");
  ours.size = sizeof ours;
  return ours;
}

}  // namespace headrace::client
