// The thread of a stager that talks: to trainers, to the other stagers of the node, and (through the exchange) to the
// leaders of other nodes. It moves no samples: feeds and workers do.
//
//   trainer --hello--> front desk (leader) --ClaimRank--> coordinator (stager 0)
//                          |  <--Granted--
//                          +--HandOver--> trainers (the stager that serves this ring) --welcome--> trainer
//
// Who receives which message: the table at the end of host.cpp; how they travel: router.hpp; how far the service's life
// is: phase.hpp. By role: every stager has trainers and views; the leader of a node a front desk and a file of metrics;
// stager 0 the coordinator; all others a watch on stager 0, which must not keep them waiting at the end.
//
// The end in order: stager 0 says End. Each stager says Ending (it has heard), lets its feeds run out and says Drained.
// Once all have, stager 0 says Exit, and each is over. A stager that hears Exit is not waited for any more: its links
// may close. Before it every closed link is a death, and the whole service fails.
//
// Everything here runs in the host's thread, but for the functions marked "any thread". It waits for nobody: what a
// peer, a tool or another stager does not read at once is kept for it (ipc/courier.hpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "ipc/poller.hpp"
#include "job/neighbours.hpp"
#include "job/node_links.hpp"
#include "job/topology.hpp"
#include "service/books/last_call.hpp"
#include "service/books/messages.hpp"
#include "service/delivery/trainers.hpp"
#include "service/host/coordinator.hpp"
#include "service/host/event_log.hpp"
#include "service/host/front_desk.hpp"
#include "service/host/jobs.hpp"
#include "service/host/metrics_file.hpp"
#include "service/host/phase.hpp"
#include "service/host/router.hpp"
#include "service/host/seat.hpp"
#include "service/host/stager_watch.hpp"
#include "service/host/views.hpp"

namespace headrace::service::host {

class Host {
 public:
  /// What the host needs once loading is done.
  struct Service {
    delivery::Supply* supply = nullptr;
    delivery::DrawnEpochs* draws = nullptr;
    const blueprint::Blueprint* blueprint = nullptr;
    Workers* workers = nullptr;
    delivery::Rings* rings = nullptr;
    std::vector<std::vector<std::uint64_t>> stream_hashes;  ///< at stager 0
    blueprint::Need memory;                                 ///< of this node
    /// Sends a control message to another stager; null where there is one node only.
    std::function<void(int to, std::string text)> send_to_stager;
    /// Bytes that this stager has read from its disk.
    std::function<std::uint64_t()> scratch_read;
    /// And of files, for windows.
    std::function<std::uint64_t()> window_read = [] { return std::uint64_t{0}; };
    /// Where streams are read window by window: what is open, and who reads (an order `read`). Else null.
    delivery::Panes* panes = nullptr;
    std::function<void(const books::WindowOrder& order)> read_windows{};
    /// Where samples come to memory while trainers are served, the same: what is there, and who reads. Else null.
    delivery::Arrivals* arrivals = nullptr;
    std::function<void(std::uint64_t window)> read_first{};
  };

  /// Leaders listen from here on: error where the name is taken. word: of the service (job/party.hpp). stopped_early: the
  /// exit code where a tool ends it before open(), and no launcher is there that must see a failure.
  Host(const config::Config& config, const job::Topology& topology, std::string word = "", int stopped_early = 0);
  ~Host();
  /// No more of its thread: before anything goes that open() handed over, where the service ends by an error.
  void halt();

  /// From now on whoever calls is answered.
  void start();
  /// Once, after start(): from now on the other stagers are watched.
  void meet(job::NodeLinks links, std::vector<job::Neighbour> neighbours);
  /// Before open(); collective over the node: the leader's descriptor, on every stager.
  ipc::Fd share(ipc::Fd leaders);
  /// Any thread: how far loading is, for those who wait.
  void loading(const std::string& what, double fraction);
  /// Any thread: how many may stand at the front desk at once.
  void limit_callers(std::uint64_t most) {
    if (seat_.is_leader()) jobs_.post([this, most] { desk_->limit_callers(most); });
  }
  /// Any thread: trainers may come.
  void open(Service service);
  /// Any thread: a line of the log; at stager 0, nowhere else.
  void tell(const char* event, const nlohmann::json& facts);
  /// Any thread: what errors from now on say last, as what to do next.
  void advise(std::string what);
  /// Any thread: writes into the log how the service is doing; at stager 0, which speaks for all, nowhere else.
  void show_state();
  /// Any thread: a control message of another stager arrived.
  void message_from_stager(std::string text);
  /// Any thread, also while the host's thread is busy for a while: tells every trainer that the service is gone.
  void farewell(const std::string& why);
  /// The same, and the other stagers of this node, too: this one leaves at once, and is not to be taken for dead.
  void farewell_to_all(const std::string& why);
  /// Any thread: windows of an order are there.
  void windows_loaded(std::uint32_t stream, std::uint64_t turn, bool both);
  /// Any thread: how far reading one is.
  void reading_window(std::uint32_t stream, std::uint64_t turn, plan::EpochWindow window, std::uint64_t done,
                      std::uint64_t total);
  /// Any thread: a window is there whose rows stay, or on its way.
  void window_arrived(std::uint64_t window, std::uint64_t bytes);
  void window_arriving(std::uint64_t window, std::uint64_t done, std::uint64_t total);
  /// Any thread: the service cannot go on. Everybody is told why, and this process ends, soon after the call.
  void fail(std::string what);
  /// Any thread: blocks until the service is over.
  void wait_until_over() { phase_.wait_until_over(); }
  bool is_over() const { return phase_.is_over(); }
  /// Any thread: called once in the host's thread when the service is over, or before it leaves at once.
  void on_over(std::function<void()> callback) { phase_.on_end(std::move(callback)); }
  /// After the end: whether any epoch failed the audit (stager 0).
  bool audit_failed() const { return audit_failed_; }
  std::uint64_t epochs_audited() const { return epochs_audited_; }

 private:
  void run(const std::stop_token& quit);
  void watch_head(Clock::time_point now);
  void write_metrics();

  // What messages do here.
  void receive(books::ToHead message);
  void receive(books::FromHead message);
  void receive(books::ToLeader message);
  void receive(books::ToStager message, std::vector<ipc::Fd> fds);
  /// Leader: to every stager of this node, itself last.
  void to_all_here(const books::ToStager& message);
  void left_out(const books::LeftOut& question);
  void add_left_out(const books::LeftOut& question);
  void draw(const books::AskDraw& asked);
  void turn_windows(const books::WindowOrder& order);
  void take_in(const books::ArrivalOrder& order);

  // The end.
  void stop(const std::string& reason);
  void begin_end(const std::string& reason);
  void conclude(bool audit_failed);
  void link_closed(std::uint32_t local);
  /// Tells everybody here why, and leaves. teller: the stager of this node that prints it.
  [[noreturn]] void fail_now(std::string what, std::uint32_t teller);
  /// The same for what went wrong at this stager.
  [[noreturn]] void fail_here(const std::string& what);
  void last_word_to_others(const std::string& what);
  /// False where it could not be said, or this is the leader.
  bool last_word_to_leader(const std::string& what);
  /// Tells trainers, tools and logs that the service has failed.
  void say_failed(const std::string& what);
  void in_time(std::function<void()> words);
  /// Ends this process, whatever its other threads are doing; the launcher then ends the other stagers.
  [[noreturn]] void leave(int exit_code);

  const config::Config& config_;
  const job::Topology& topology_;
  const int stopped_early_;
  const Seat seat_;
  ipc::Poller poller_;
  Jobs jobs_;
  PhaseGate phase_;
  EventLog events_;
  Service service_;  ///< from open() on
  std::string advice_;

  job::NodeLinks node_links_;  ///< from meet() to open(); both threads talk there, neither changes it
  std::vector<job::Neighbour> neighbours_;
  std::optional<StagerWatch> watch_;  ///< from meet() on

  // By role, from the start.
  std::optional<FrontDesk> desk_;              ///< leaders
  std::optional<MetricsFile> metrics_;         ///< leaders
  std::optional<books::LastCall> head_watch_;  ///< everywhere but at stager 0: whether that one still lives at the end
  // From open() on.
  std::optional<Router> router_;
  std::optional<Coordinator> coordinator_;  ///< stager 0
  std::optional<delivery::Trainers> trainers_;
  std::optional<Views> views_;
  books::Walked walked_;  ///< by this node's stagers' samples, in the audits of mixes

  std::atomic<bool> audit_failed_ = false;
  std::atomic<std::uint64_t> epochs_audited_ = 0;
  std::jthread thread_;
};

}  // namespace headrace::service::host
