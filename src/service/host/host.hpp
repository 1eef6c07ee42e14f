// The thread of a stager that talks: to trainers, to the other stagers of the node, and (through the exchange) to the
// leaders of other nodes. It moves no samples: feeds and workers do.
//
//   trainer --hello--> front desk (leader) --claim--> coordinator (stager 0)
//                          |  <--grant--
//                          +--hand over--> trainers (the stager that serves this ring) --welcome--> trainer
//
// Everything here runs in the host's thread, but for the functions marked "any thread". It waits for nobody: what a
// peer, a tool or another stager does not read at once is kept for it (ipc/courier.hpp).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/config.hpp"
#include "ipc/courier.hpp"
#include "ipc/poller.hpp"
#include "ipc/process.hpp"
#include "job/neighbours.hpp"
#include "job/node_links.hpp"
#include "job/topology.hpp"
#include "service/books/last_call.hpp"
#include "service/delivery/trainers.hpp"
#include "service/host/coordinator.hpp"
#include "service/host/event_log.hpp"
#include "service/host/front_desk.hpp"
#include "service/host/metrics_file.hpp"
#include "service/host/views.hpp"

namespace headrace::service::host {

class Host {
 public:
  /// What the host needs once loading is done.
  struct Service {
    delivery::Supply* supply = nullptr;
    const blueprint::Blueprint* blueprint = nullptr;
    Workers* workers = nullptr;
    delivery::Rings* rings = nullptr;
    std::vector<std::uint64_t> stream_hashes;  ///< at stager 0
    blueprint::Need memory;                    ///< of this node
    /// Sends a control message to another stager; null where there is one node only.
    std::function<void(int to, std::string text)> send_to_stager;
  };

  /// Leaders listen from here on: error where the name is taken.
  Host(const config::Config& config, const job::Topology& topology);
  ~Host();

  void start(job::NodeLinks links, std::vector<job::Neighbour> neighbours);
  /// Before open(); collective over the node: the leader's descriptor, on every stager.
  ipc::Fd share(ipc::Fd leaders);
  /// Any thread: how far loading is, for those who wait.
  void loading(const std::string& what, double fraction);
  /// Any thread: how many may stand at the front desk at once.
  void limit_callers(std::uint64_t most) {
    if (topology_.is_leader()) post([this, most] { desk_->limit_callers(most); });
  }
  /// Any thread: trainers may come.
  void open(Service service);
  /// Any thread: a line of the log; at stager 0, nowhere else.
  void tell(const char* event, const nlohmann::json& facts);
  /// Any thread: writes into the log how the service is doing; at stager 0, which speaks for all, nowhere else.
  void show_state();
  /// Any thread: a control message of another stager arrived.
  void message_from_stager(std::string text);
  /// Any thread, also while the host's thread is busy for a while: tells every trainer that the service is gone.
  void farewell(const std::string& why);
  /// Any thread: blocks until the service is over.
  void wait_until_over();
  bool is_over();
  /// Any thread: called once in the host's thread when the service is over, or before it leaves at once.
  void on_over(std::function<void()> callback);
  /// After the end: whether any epoch failed the audit (stager 0).
  bool audit_failed() const { return audit_failed_; }
  std::uint64_t epochs_audited() const { return epochs_audited_; }

 private:
  void run();
  void post(std::function<void()> job);
  void take_jobs();
  void open_links();
  void from_link(std::size_t link);
  void to_link(std::size_t link, const nlohmann::json& message, std::vector<ipc::Fd> fds = {});
  void to_local(std::uint32_t local, const nlohmann::json& message, std::vector<ipc::Fd> fds = {});
  void link_closed(std::size_t link);
  void look_at(std::size_t neighbour);
  void look_for_head(Clock::time_point now);
  void up(const nlohmann::json& message);
  void down(std::uint32_t node, const nlohmann::json& message);
  void handle(const nlohmann::json& message, std::vector<ipc::Fd> fds);
  void broadcast(const nlohmann::json& message);
  /// Leader: the answers to "stat", one after the other, now or soon.
  void view(const std::function<void(const nlohmann::json& part)>& tell);
  void write_metrics();
  void stop(const std::string& reason);
  void begin_end(const std::string& reason);
  void conclude();
  void left_out(const nlohmann::json& question);
  /// teller: the stager of this node that prints it.
  void fail(const std::string& what, std::uint32_t teller);
  /// Ends this process, whatever its other threads are doing; the launcher then ends the other stagers.
  [[noreturn]] void leave(int exit_code);
  std::string name_of_local(std::size_t local) const;

  const config::Config& config_;
  const job::Topology& topology_;
  job::NodeLinks node_links_;  ///< until trainers may come
  std::vector<job::Neighbour> neighbours_;
  ipc::Poller poller_;
  std::vector<std::unique_ptr<ipc::Courier>> links_;  ///< numbered as NodeLinks, from then on
  ipc::Bell bell_;
  std::optional<FrontDesk> desk_;
  std::optional<Coordinator> coordinator_;
  std::optional<books::LastCall> head_;  ///< everywhere but at stager 0: whether that one still lives at the end
  bool stop_unheard_ = false;            ///< this leader was asked to stop, and stager 0 has not answered yet
  std::optional<delivery::Trainers> trainers_;
  std::optional<Views> views_;
  EventLog events_;
  std::optional<MetricsFile> metrics_;
  Service service_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> jobs_;
  std::function<void()> on_over_;
  bool over_ = false, failed_ = false, farewell_said_ = false;
  std::atomic<bool> audit_failed_ = false;
  std::atomic<std::uint64_t> epochs_audited_ = 0;
  std::atomic<bool> quit_ = false;
  std::thread thread_;
};

}  // namespace headrace::service::host
