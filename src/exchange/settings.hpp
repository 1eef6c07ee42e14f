// What an engine is made of, and what it counts. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace headrace::exchange {

struct Settings {
  std::size_t answer_bytes = 512 << 10;  ///< of one answer at most (unless one row is larger)
  std::size_t joined_bytes = 256 << 10;  ///< of one answer to several fetches at most
  std::size_t bounce_bytes = 1 << 20;    ///< answers in small pieces and larger than this are received in place
  unsigned send_buffers = 8;
  unsigned answers_per_peer = 4;  ///< under way at a time
  unsigned bounce_buffers = 8;
  unsigned receive_buffers = 16;
  double tell_s = 10;    ///< without an answer: a warning that names the peer
  double limit_s = 300;  ///< the same: an error

  /// For a service of so many nodes: an answer holds one row at least; each of few peers may have more under way.
  static Settings of(std::size_t nodes, std::size_t answer_row_bytes);
  /// What an engine takes.
  std::size_t bytes() const { return send_buffers * answer_bytes + bounce_buffers * bounce_bytes; }
};

/// What was moved, for the summary.
struct Traffic {
  std::uint64_t fetches = 0, requests = 0;  ///< what was wanted, and how many messages asked for it
  std::uint64_t bounced = 0;                ///< answers that came through a bounce buffer
  std::uint64_t bytes_received = 0, bytes_sent = 0;
};

}  // namespace headrace::exchange
