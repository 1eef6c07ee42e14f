// Moves rows between nodes. Pull only: a stager sends a request, its peer packs the rows into one message, and the
// message lands in the slot. A request is the only credit; nothing else is ever sent unasked, but control messages.
//
//   1. Requests to one peer that wait at the same time and are small go as one message: where rows are small, one
//      message carries several steps.
//   2. Large pieces are received in place. Many small ones come into a bounce buffer and are copied from there: MPI
//      takes longer to step from piece to piece. Where no bounce buffer is free they are received in place, too.
//   3. Peers are served in turn, each with few answers under way (Turns).
//   4. Packing and copying go to a worker where one is idle; where all are busy this thread does them itself, one at a
//      time between looks at MPI: a hand-over costs two wake-ups and a place in the queue.
//
// Threads: fetch(), control(), wake() from any thread; run() in the thread that owns MPI.
// All memory is fixed at construction: receive buffers for requests, send buffers for answers, bounce buffers; requests
// that find no free send buffer wait in line.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/workers.hpp"
#include "exchange/naps.hpp"
#include "exchange/request.hpp"
#include "exchange/silence.hpp"
#include "exchange/turns.hpp"
#include "mpi/comm.hpp"
#include "mpi/p2p.hpp"

namespace headrace::exchange {

/// Rows wanted from another node.
struct Fetch {
  int peer = 0;  ///< the stager that is asked
  Request request;
  std::vector<mpi::Block> into;   ///< where the answer goes, in its order
  std::function<void()> arrived;  ///< called once, in the thread that owns MPI or a worker
};

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

class Engine {
 public:
  /// Packs the rows of a request at `out` and returns the bytes; runs on a worker. Throws Error on a bad request.
  using Pack = std::function<std::size_t(const Request&, std::span<std::byte> out)>;
  /// A control message of another stager; runs in the thread that owns MPI.
  using Control = std::function<void(int from, std::string text)>;

  /// Collective over comm. workers, and comm, must outlive the engine's run().
  Engine(const mpi::Comm& comm, const Settings& settings, Workers& workers, Pack pack, Control control);

  void fetch(Fetch fetch);
  void control(int to, std::string text);
  /// Makes run() look whether it is finished.
  void wake();

  /// Serves and asks until finished() (called between naps, in this thread) says so and nothing is under way here.
  /// Throws Error when a peer does not answer or sends nonsense.
  void run(const std::function<bool()>& finished);
  /// The same, until enough() says so, whatever is under way: it goes on with the next call. No peer may count on
  /// answers in between.
  void run_for_now(const std::function<bool()>& enough);
  Traffic traffic() const { return traffic_; }
  const Settings& settings() const { return settings_; }

 private:
  /// What a message under way is, and what its number names: a receive buffer, a tag (twice), a send buffer, a text.
  enum class Kind : std::uint8_t { message, reply, request_send, answer_send, control_send };
  static constexpr std::size_t in_place = ~std::size_t{0};
  struct Ask {  // one or several fetches under way, as one request
    Fetch fetch;
    std::vector<std::function<void()>> arrived;
    std::size_t bounce = in_place;  // number of the bounce buffer
    std::vector<std::byte> message;
    double since = 0;
    int open = 2;  // the answer to come, and the request's own send
  };
  struct Answer {  // a request of a peer
    Request request;
    int peer = 0;
    std::uint32_t tag = 0;
    std::size_t buffer = 0, bytes = 0;
    std::exception_ptr failure;
  };

  void progress_until(const std::function<bool()>& done);
  bool progress();
  bool take_orders();
  bool take_messages();
  void take_reply(std::uint64_t tag, std::size_t bytes);
  bool start_packing();
  void pack(Answer& answer);
  void send(const Answer& answer);
  void copy_from_bounce(std::unique_ptr<Ask> ask);
  void watch(Kind kind, std::uint64_t number, mpi::Transfer transfer);
  std::size_t under_way(Kind kind) const;
  void handle_message(int from, std::span<const std::byte> message);
  void ask_for_waiting();
  bool joins(const Ask& ask, const Fetch& fetch, std::size_t bytes) const;
  void ask(std::unique_ptr<Ask> wanted);
  void open_receive(std::size_t buffer);
  void nap(bool moved);
  void check_limits();
  void half_done(std::uint64_t tag);
  bool own_work_done() const;
  bool has_orders();

  const Settings settings_;
  mpi::Mailbox mailbox_;
  Workers& workers_;
  Pack pack_;
  Control control_;

  std::mutex mutex_;  // guards what other threads hand over
  std::condition_variable wake_;
  std::vector<Fetch> new_fetches_;
  std::vector<std::pair<int, std::string>> new_controls_;
  std::vector<Answer> packed_;
  std::vector<std::size_t> emptied_;  // bounce buffers that workers are done with
  bool woken_ = false;

  // Only the MPI thread touches the rest.
  std::vector<std::vector<std::byte>> receive_buffers_;
  std::vector<std::vector<std::byte>> send_buffers_;
  std::vector<std::size_t> free_sends_;
  std::vector<std::vector<std::byte>> bounce_buffers_;
  std::vector<std::size_t> free_bounces_;
  std::vector<int> sent_to_;  // by send buffer: whom it was filled for last
  Turns<Answer> waiting_;
  std::vector<std::unique_ptr<Ask>> asks_;  // by tag
  std::vector<std::uint32_t> free_tags_;
  std::deque<Fetch> fetch_queue_;  // when all tags are taken
  std::vector<std::unique_ptr<std::vector<std::byte>>> control_texts_;
  std::size_t packing_ = 0, copying_ = 0;  // at workers
  Naps naps_;
  double next_check_ = 0;
  Silence silence_;
  std::vector<mpi::Transfers::Done> done_;
  Traffic traffic_;
  std::array<std::size_t, 5> under_way_{};  // per kind
  // All messages in one set: every question to MPI costs a turn of its progress, and perhaps a yield. Last, so that
  // they end before the memory that they move.
  mpi::Transfers transfers_;
};

}  // namespace headrace::exchange
