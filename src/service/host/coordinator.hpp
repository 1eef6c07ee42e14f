// The head of the service, at stager 0: answers claims, keeps the audit, decides when the service ends. Called from the
// host's thread only; talks to the leaders of nodes through `send`.
//
//   serving --(all consumed | goodbyes and linger | stop)--> ending --(every stager has drained)--> over
//
//   1. The end is said once, and exit once, when every stager has drained and every node has answered what was left out
//      of the last epochs: an audit must not lose its last answers to the end.
//   2. Words for all nodes go to this one last: with exit it may be over here.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "job/topology.hpp"
#include "service/books/draw_book.hpp"
#include "service/books/epoch_book.hpp"
#include "service/books/epoch_news.hpp"
#include "service/books/last_call.hpp"
#include "service/books/messages.hpp"
#include "service/books/registry.hpp"
#include "service/host/arrival_head.hpp"
#include "service/host/event_log.hpp"
#include "service/host/window_head.hpp"

namespace headrace::service::host {

class Coordinator {
 public:
  /// send(node, message): to the leader of a node (node 0 is here).
  using Send = std::function<void(std::uint32_t node, books::FromHead message)>;

  /// windowing: null where every stream is in memory as a whole.
  Coordinator(const config::Config& config, const blueprint::Blueprint& blueprint, const std::vector<job::Node>& nodes,
              std::vector<std::vector<std::uint64_t>> stream_hashes, const blueprint::Windowing* windowing,
              EventLog& events, Send send);
  /// The first orders to stagers; these are ready.
  void begin();

  // What stagers say to the head of the service.
  void hear(const books::ClaimRank& message);
  void hear(const books::Left& message);
  void hear(const books::Finished& message);
  void hear(const books::TrainerEpoch& report);
  void hear(const books::AskAgree& message);
  void hear(const books::Stop& message) { end(message.reason); }
  void hear(const books::Ending& message) { last_call_.alive(message.stager); }
  void hear(const books::Drained& message);
  void hear(const books::LeftOutSum& message);
  void hear(const books::WantDraw& message);
  void hear(const books::Drawn& message);
  void hear(const books::AtWindow& message);
  void hear(const books::WindowAnswer& message) { windows_.value().hear(message); }
  void hear(const books::ReadingWindow& message) { windows_.value().hear(message); }
  void hear(const books::Arrived& message) { arrival_.value().hear(message); }
  void hear(const books::Arriving& message) { arrival_.value().hear(message); }
  /// Time passes: linger runs out. Throws Error where a stager does not come to the end.
  void tick(Clock::time_point now);
  /// Ends the service for this reason (once).
  void end(const std::string& reason);

  /// Tells what the log still has to hear of epochs: nothing may follow.
  void last_news() { tell(news_.flush()); }
  /// Lines for the end: reason, epochs, what is unfinished.
  std::vector<std::string> summary() const;
  const std::string& reason() const { return reason_; }  ///< of the end, empty before it
  bool audit_failed() const { return !book_.all_exactly_once(); }
  std::uint64_t epochs_audited() const { return book_.epochs_audited(); }
  books::ServiceFigures figures() const;

 private:
  void tell(const std::optional<books::Verdict>& verdict);
  void tell(const std::vector<books::News>& news) const;
  void consider_end();
  void consider_exit();
  void send_all(const books::FromHead& message) const;

  const config::Config& config_;
  const blueprint::Blueprint& blueprint_;
  const std::vector<job::Node>& nodes_;
  EventLog& events_;
  Send send_;
  books::Registry registry_;
  books::EpochBook book_;
  books::DrawBook draws_;
  std::vector<std::uint64_t> last_drawn_;  ///< epoch of each stream
  books::EpochNews news_;
  std::optional<WindowHead> windows_;   ///< where streams are read window by window
  std::optional<ArrivalHead> arrival_;  ///< where samples come to memory while trainers are served
  books::LastCall last_call_;           ///< each stager is to drain, each leader to answer questions
  std::string reason_;
  bool exit_sent_ = false;
  std::optional<Clock::time_point> all_gone_since_;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace headrace::service::host
