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
// What it is made of: asks (what this stager wants), answers (what others want of it), controls (texts), all over one
// set of messages under way (in_flight.hpp), and a handover from other threads. The engine itself looks, dispatches and
// naps.
//
// Threads: fetch(), control(), wake() from any thread; run() in the thread that owns MPI.
// All memory is fixed at construction: receive buffers for requests, send buffers for answers, bounce buffers; requests
// that find no free send buffer wait in line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/workers.hpp"
#include "exchange/answers.hpp"
#include "exchange/asks.hpp"
#include "exchange/controls.hpp"
#include "exchange/handover.hpp"
#include "exchange/in_flight.hpp"
#include "exchange/naps.hpp"
#include "exchange/settings.hpp"
#include "mpi/comm.hpp"

namespace headrace::exchange {

class Engine {
 public:
  using Pack = Answers::Pack;
  /// A control message of another stager; runs in the thread that owns MPI.
  using Control = std::function<void(int from, std::string text)>;

  /// Collective over comm. workers and comm must outlive the engine.
  Engine(const mpi::Comm& comm, const Settings& settings, Workers& workers, Pack pack, Control control);

  void fetch(Fetch fetch) { handover_.fetch(std::move(fetch)); }
  /// What one thread says to one stager arrives in that order.
  void control(int to, std::string text) { handover_.control(to, std::move(text)); }
  /// Makes run() look whether it is finished.
  void wake() { handover_.wake(); }

  /// Serves and asks until finished() (called between naps, in this thread) says so and nothing is under way here.
  /// Throws Error when a peer does not answer or sends nonsense.
  void run(const std::function<bool()>& finished);
  /// The same, until enough() says so, whatever is under way: it goes on with the next call. No peer may count on
  /// answers in between.
  void run_for_now(const std::function<bool()>& enough);
  /// In the thread that owns MPI.
  Traffic traffic() const { return traffic_; }
  const Settings& settings() const { return settings_; }

 private:
  void progress_until(const std::function<bool()>& done);
  bool progress();
  bool take_orders();
  bool take_messages();
  void open_receive(std::uint32_t buffer);
  void nap(bool moved);
  void check_limits();
  bool own_work_done() const { return !in_flight_.any() && asks_.idle() && answers_.idle(); }
  double now() const { return seconds_since(begin_); }

  const Settings settings_;
  const Clock::time_point begin_ = Clock::now();  // times within an engine are seconds since then
  Control control_;
  Handover handover_;  // the only part that other threads touch

  // Only the MPI thread touches the rest, but for buffers that workers have in hand.
  Traffic traffic_;
  std::vector<std::vector<std::byte>> receive_buffers_;
  std::vector<std::byte> control_buffer_;
  Asks asks_;
  Answers answers_;
  Controls controls_;
  Naps naps_;
  double next_check_ = 0;
  InFlight in_flight_;  // last, so that messages end before the memory that they move
};

}  // namespace headrace::exchange
