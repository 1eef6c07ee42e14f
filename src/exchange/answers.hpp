// The answering side of the engine: requests of peers that wait, rows being packed, answers under way.
//
//   asked --(its peer's turn, a send buffer is free)--> packing (a worker, or here) --> sent, its buffer free again
//                                                          '--(rows of a disk are still to come)--> packed later --^
//
// Memory is fixed: requests that find no free send buffer wait in line, each peer in a line of its own (turns.hpp).
//
// One thread: the one that owns MPI; packing also in workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <vector>

#include "base/workers.hpp"
#include "exchange/handover.hpp"
#include "exchange/in_flight.hpp"
#include "exchange/settings.hpp"
#include "exchange/turns.hpp"

namespace headrace::exchange {

/// What has become of a request.
struct Packed {
  std::size_t bytes = 0;
  bool complete = true;  ///< else rows still come
};

class Answers {
 public:
  /// Packs the rows of a request at `out`; runs on a worker, or in the thread that owns MPI: it waits for nothing. Not
  /// complete: done(bytes) follows, once, from any thread. Throws Error on a bad request.
  using Done = std::function<void(std::size_t bytes)>;
  using Pack = std::function<Packed(const Request&, std::span<std::byte> out, Done done)>;

  /// All but settings must outlive this. in_flight need not be there yet.
  Answers(const Settings& settings, InFlight& in_flight, Handover& handover, Workers& workers, Traffic& traffic,
          Pack pack);

  /// A peer asks. Throws Error if that is no request.
  void asked(int from, std::span<const std::byte> message);
  /// Packs what may be packed now. Whether anything was.
  bool start();
  /// A worker has filled the buffer. Throws what it threw.
  void packed(std::uint32_t buffer);
  /// The answer in the buffer has left.
  void sent(std::uint32_t buffer);
  /// Something is being packed.
  bool packing() const { return packing_ > 0; }
  /// Nothing waits and nothing is being packed.
  bool idle() const { return waiting_.empty() && packing_ == 0; }

 private:
  struct Answer {
    Request request;
    int peer = 0;
    std::uint32_t reply = 0;
    std::size_t bytes = 0;
    std::exception_ptr failure;
  };
  /// Whether all is there; if not, it will be handed over.
  bool pack(std::uint32_t buffer);
  void send(std::uint32_t buffer);

  InFlight& in_flight_;
  Handover& handover_;
  Workers& workers_;
  Traffic& traffic_;
  Pack pack_;
  Turns<Answer> waiting_;
  std::vector<std::vector<std::byte>> send_buffers_;
  std::vector<Answer> answers_;  // by send buffer; while a worker packs it, it is the worker's
  std::vector<std::uint32_t> free_sends_;
  std::size_t packing_ = 0;  // at workers, or their rows still to come
};

}  // namespace headrace::exchange
