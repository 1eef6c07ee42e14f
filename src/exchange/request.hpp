// What one stager asks of a stager of another node: "these rows, packed, to this tag". It names everything that the
// answer needs, so it can be repeated, and nothing has to be remembered about who asked before.
//
//   | Header | Segment x segments | ordinal (u32) x rows |
//
// The answer is one message: segment by segment the sample numbers (int64), then the rows of each field.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace headrace::exchange {

/// Rows of one run of members (plan/strata.hpp), which one stager holds.
struct Segment {
  std::uint32_t run = 0;
  std::uint32_t rows = 0;
  bool operator==(const Segment&) const = default;
};

struct Request {
  std::uint32_t stream = 0;  ///< number of the stream in the configuration
  std::vector<Segment> segments;
  std::vector<std::uint32_t> ordinals;  ///< counted from the run's first
  std::uint64_t epoch = 0;              ///< whose members these are, where they are others each epoch (plan/draw.hpp)

  bool operator==(const Request&) const = default;
};

/// A request, as a control message, must fit the buffers that every stager keeps open for messages of others.
constexpr std::size_t max_message_bytes = 64 * 1024;

/// Rows and segments that still fit one request.
bool fits(std::size_t segments, std::size_t rows);

std::vector<std::byte> encode(const Request& request, std::uint32_t reply_tag);
/// Throws Error if the bytes are not a request.
Request decode(std::span<const std::byte> message, std::uint32_t& reply_tag);

}  // namespace headrace::exchange
