// The head of the service, at stager 0: answers claims, keeps the audit, decides when the service ends. Called from the
// host's thread only; talks to the leaders of nodes through `send`.
//
//   serving --(all consumed | goodbyes and linger | stop)--> ending --(every stager has drained)--> over
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "job/topology.hpp"
#include "service/books/epoch_book.hpp"
#include "service/books/epoch_news.hpp"
#include "service/books/last_call.hpp"
#include "service/books/registry.hpp"
#include "service/host/event_log.hpp"

namespace headrace::service::host {

class Coordinator {
 public:
  /// send(node, message): to the leader of a node (node 0 is here).
  using Send = std::function<void(std::uint32_t node, const nlohmann::json& message)>;

  Coordinator(const config::Config& config, const blueprint::Blueprint& blueprint, const std::vector<job::Node>& nodes,
              std::vector<std::uint64_t> stream_hashes, EventLog& events, Send send);

  /// A message of a leader: claim, left, finished, epoch, left_out, stop, ending, drained.
  void handle(const nlohmann::json& message);
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
  nlohmann::json stat() const;

 private:
  void claim(const nlohmann::json& message);
  void agree(const nlohmann::json& message);
  void epoch(const nlohmann::json& message);
  void tell(const std::optional<books::Verdict>& verdict);
  void tell(const std::vector<books::News>& news) const;
  void consider_end();
  void consider_exit();
  void send_all(const nlohmann::json& message) const;

  const config::Config& config_;
  const blueprint::Blueprint& blueprint_;
  const std::vector<job::Node>& nodes_;
  EventLog& events_;
  Send send_;
  books::Registry registry_;
  books::EpochBook book_;
  books::EpochNews news_;
  books::LastCall last_call_;  ///< each stager is to drain, each leader to answer questions
  std::string reason_;
  bool exit_sent_ = false;
  std::optional<Clock::time_point> all_gone_since_;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace headrace::service::host
