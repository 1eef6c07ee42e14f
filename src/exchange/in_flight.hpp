// The messages of an engine that are under way: every receive that stands and every send that is not complete. It alone
// knows tags and MPI's requests; who owns a message's memory is told by kind and number when it is complete. The memory
// must stay until then. One thread: the one that owns MPI.
//
//   tag 1          requests, from anybody; several receives stand for them, and they may be complete in any order
//   tag 2          control messages, from anybody; one receive stands for them, so that those of one stager come in the
//                  order in which it sent them: MPI orders what is matched, not what is complete
//   tag 16 + k     the answer to the request with the reply number k: it needs no matching by content
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "mpi/comm.hpp"
#include "mpi/p2p.hpp"

namespace headrace::exchange {

/// Requests without an answer that one stager may have at a time.
constexpr std::uint32_t max_outstanding = 4096;

/// What a message under way is, and what its number is that of.
enum class Kind : std::uint8_t {
  request,       ///< a receive for whoever sends one: its receive buffer
  reply,         ///< a receive for an answer: the reply number
  request_send,  ///< the reply number
  answer_send,   ///< its send buffer
  control,       ///< the receive for whoever sends one
  control_send,  ///< its text
};

/// Names a message under way; goes through MPI's wrapper as one integer.
struct Token {
  Kind kind = Kind::request;
  std::uint32_t number = 0;

  std::uint64_t packed() const { return static_cast<std::uint64_t>(kind) << 32 | number; }
  static Token of(std::uint64_t packed) {
    return {static_cast<Kind>(packed >> 32), static_cast<std::uint32_t>(packed & 0xffffffff)};
  }
  bool operator==(const Token&) const = default;
};

class InFlight {
 public:
  struct Done {
    Token token;
    int source = 0;         ///< of a receive
    std::size_t bytes = 0;  ///< of a receive
  };

  /// Collective over comm.
  explicit InFlight(const mpi::Comm& comm) : mailbox_(comm) {}

  void receive_request(std::uint32_t buffer, std::span<std::byte> into);
  /// One at a time.
  void receive_control(std::span<std::byte> into);
  void receive_reply(int from, std::uint32_t reply, std::span<std::byte> into);
  /// The same, scattered over several blocks.
  void receive_reply(int from, std::uint32_t reply, std::span<const mpi::Block> into);
  void send_request(int to, std::uint32_t reply, std::span<const std::byte> message);
  void send_answer(int to, std::uint32_t reply, std::uint32_t buffer, std::span<const std::byte> rows);
  void send_control(int to, std::uint32_t number, std::span<const std::byte> message);

  /// Drives MPI. What is complete by now; until the next call.
  const std::vector<Done>& poll();
  /// Anything but the receives that always stand.
  bool any() const { return transfers_.size() > count(Kind::request) + count(Kind::control); }

 private:
  void watch(Token token, mpi::Transfer transfer);
  std::size_t count(Kind kind) const { return under_way_[static_cast<std::size_t>(kind)]; }

  mpi::Mailbox mailbox_;
  std::array<std::size_t, 6> under_way_{};  // per kind
  std::vector<mpi::Transfers::Done> completed_;
  std::vector<Done> done_;
  // All messages in one set: every question to MPI costs a turn of its progress, and perhaps a yield.
  mpi::Transfers transfers_;
};

}  // namespace headrace::exchange
