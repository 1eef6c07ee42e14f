#include "service/host.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <utility>

#include "base/error.hpp"
#include "log/log.hpp"
#include "mpi/launcher.hpp"
#include "service/guests.hpp"

namespace headrace::service {

namespace {
constexpr std::chrono::milliseconds tick_every{250};
constexpr std::chrono::seconds link_limit{10};
constexpr double grace = 1.2;  // for stager 0 to say who is missing before others say that it is
}  // namespace

Host::Host(const Config& config, const Topology& topology)
    : config_(config),
      topology_(topology),
      bell_(ipc::Bell::make()),
      events_(topology.me() == 0 ? config.log : "", config.name) {
  poller_.add(bell_.fd(), [this] { take_jobs(); });
  if (topology.me() != 0) head_.emplace(stager_names({{0, 1, topology.nodes[0].host}}), grace * end_limit(config));
  if (!topology.is_leader()) return;
  metrics_.emplace(metrics_path(config, topology.nodes, topology.my_node));
  if (topology.me() == 0 && topology.nodes.size() > 1 && !config.metrics.empty() && !names_node(config.metrics))
    log::info("metrics = {} has no %h for the host's name, so each node adds its own: {} here", config.metrics,
              metrics_path(config, topology.nodes, topology.my_node));
  desk_.emplace(
      config_, topology_, poller_,
      FrontDesk::Actions{.claim = [this](const nlohmann::json& claim) { up(claim); },
                         .hand_over = [this](std::uint32_t local, const nlohmann::json& guest,
                                             std::vector<ipc::Fd> fds) { hand_over(local, guest, std::move(fds)); },
                         .stat =
                             [this](std::uint64_t tool) {
                               view([this, tool](const nlohmann::json& part) { desk_->tell(tool, part.dump()); });
                             },
                         .stop = [this](const std::string& reason) { stop(reason); }});
}

Host::~Host() {
  quit_ = true;
  bell_.ring();
  if (thread_.joinable()) thread_.join();
}

void Host::start(NodeLinks links, std::vector<Neighbour> neighbours) {
  links_ = std::move(links);
  neighbours_ = std::move(neighbours);
  for (std::size_t i = 0; i < neighbours_.size(); ++i) poller_.add(neighbours_[i].line.fd(), [this, i] { look_at(i); });
  thread_ = std::thread([this] { run(); });
}

void Host::run() {
  pthread_setname_np(pthread_self(), "host");
  try {
    while (!quit_) {
      poller_.wait(tick_every);
      const auto now = std::chrono::steady_clock::now();
      if (desk_) desk_->tick(now);
      if (coordinator_) coordinator_->tick(now);
      if (head_) look_for_head(now);
      if (guests_) guests_->tick(now);
      if (views_) views_->tick(now);
      if (views_ && metrics_ && metrics_->take_turn(now)) write_metrics();
    }
  } catch (const std::exception& error) {
    fail(error.what(), topology_.local());
  }
}

ipc::Fd Host::share(ipc::Fd leaders) {
  return links_.share(topology_, std::move(leaders));
}

void Host::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  bell_.ring();
}

void Host::take_jobs() {
  bell_.drain();
  std::vector<std::function<void()>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
  }
  for (auto& job : jobs) job();
}

void Host::loading(const std::string& what, double fraction) {
  if (topology_.is_leader()) post([this, what, fraction] { desk_->loading(what, fraction); });
}

void Host::open(Service service) {
  post([this, service = std::move(service)]() mutable {
    service_ = std::move(service);
    for (std::size_t link = 0; link < links_.links.size(); ++link)
      if (links_.links[link]) poller_.add(links_.links[link].fd(), [this, link] { from_link(link); });
    if (topology_.me() == 0)
      coordinator_.emplace(config_, *service_.blueprint, topology_.nodes, service_.stream_hashes, events_,
                           [this](std::uint32_t node, const nlohmann::json& message) { down(node, message); });
    guests_.emplace(config_, topology_, poller_, *service_.supply, *service_.workers, *service_.rings,
                    Guests::Actions{.up = [this](const nlohmann::json& message) { up(message); },
                                    .post = [this](std::function<void()> job) { post(std::move(job)); }});
    views_.emplace(
        topology_.nodes, topology_.my_node, topology_.local(), service_.memory,
        Views::Actions{
            .up = [this](const nlohmann::json& message) { up(message); },
            .down = [this](std::uint32_t node, const nlohmann::json& message) { down(node, message); },
            .to_node = [this](const nlohmann::json& message) { broadcast(message); },
            .to_leader =
                [this](const nlohmann::json& message) { links_.links.front().send(message.dump(), {}, link_limit); },
            .guests = [this] { return guests_->stat(); },
            .service = [this] { return coordinator_->stat(); }});
    if (desk_) desk_->open(*service_.blueprint);
  });
}

// ---- messages between stagers -------------------------------------------------------------------------------------
// up: stager -> leader of its node -> stager 0.     down: stager 0 -> leaders -> stagers of their nodes.

void Host::up(const nlohmann::json& message) {
  if (!topology_.is_leader()) {
    links_.links.front().send(message.dump(), {}, link_limit);
    return;
  }
  // A trainer that left makes room on its node.
  if (message.at("type") == "left") desk_->ring_free(message.at("stream"), message.at("ring"));
  if (topology_.me() == 0)
    // Not at once: the answer could reach the caller while it is still asking.
    post([this, message] {
      if (Views::is_mine(message.at("type")))
        views_->handle(message);
      else
        coordinator_->handle(message);
    });
  else
    service_.send_to_stager(0, message.dump());
}

void Host::down(std::uint32_t node, const nlohmann::json& message) {
  if (node == topology_.my_node)
    handle(message, {});
  else
    service_.send_to_stager(static_cast<int>(topology_.nodes[node].first), message.dump());
}

void Host::message_from_stager(std::string text) {
  post([this, text = std::move(text)] {
    const auto message = nlohmann::json::parse(text);
    const auto& type = message.at("type");
    if (Views::is_mine(type)) return views_->handle(message);
    if (type == "grant" || type == "refuse" || type == "agreed" || type == "end" || type == "exit" ||
        type == "ask_left_out" || type == "resumed")
      handle(message, {});
    else
      coordinator_->handle(message);
  });
}

void Host::broadcast(const nlohmann::json& message) {
  if (!topology_.is_leader()) return;
  for (const auto& link : links_.links)
    if (link) link.send(message.dump(), {}, link_limit);
}

void Host::handle(const nlohmann::json& message, std::vector<ipc::Fd> fds) {
  const auto type = message.at("type").get<std::string>();
  if (type == "grant" || type == "refuse") return desk_->answer(message);
  if (Views::is_mine(type)) return views_->handle(message);
  if (type == "agreed") {
    const std::uint32_t local = message.at("local");
    if (local == topology_.local()) return guests_->agreed(message);
    links_.links[local].send(message.dump(), {}, link_limit);
    return;
  }
  if (type == "resumed") {
    broadcast(message);
    return guests_->resumed(message);
  }
  if (type == "ask_left_out") return left_out(message);
  if (type == "guest") return guests_->welcome(message, std::move(fds));
  if (type == "end") {
    broadcast(message);
    return begin_end(message.at("reason"));
  }
  if (type == "exit") {
    broadcast(message);
    return conclude();
  }
  if (type == "dead") return fail(message.at("text"), 0);
}

void Host::left_out(const nlohmann::json& message) {
  // A worker does it: after a seek it may be many samples.
  service_.workers->post([this, what = LeftOut::from_json(message)] {
    const auto& here = topology_.here();
    auto answer = what.to_json();
    answer["type"] = "left_out";
    answer["node"] = topology_.my_node;
    answer["hash"] = left_out_hash(*service_.blueprint, config_.seed, what, here.first, here.first + here.stagers);
    post([this, answer] { up(answer); });
  });
}

void Host::from_link(std::size_t link) {
  for (;;) {
    auto received = links_.links[link].receive();
    if (received.what == ipc::Receipt::closed) return link_closed(link);
    if (received.what != ipc::Receipt::message) return;
    const auto message = nlohmann::json::parse(received.message.text);
    if (topology_.is_leader() && message.at("type") != "figures")
      up(message);
    else
      handle(message, std::move(received.message.fds));
  }
}

void Host::link_closed(std::size_t link) {
  poller_.remove(links_.links[link].fd());
  links_.links[link].close();
  if (over_) return;
  const auto dead = topology_.is_leader() ? link : 0;
  fail(fmt::format("{} on {} died", name_of_local(dead), topology_.here().host), dead == 0 ? 1 : 0);
}

void Host::look_at(std::size_t neighbour) {
  const auto& [host, line] = neighbours_[neighbour];
  const auto fate = line.fate();
  if (fate == ipc::Lifeline::Fate::fine) return;
  poller_.remove(line.fd());
  // That a process ended is for the launcher to judge: it may be the end of the service.
  if (fate == ipc::Lifeline::Fate::closed || over_) return;
  const auto& here = topology_.here().host;
  fail(fate == ipc::Lifeline::Fate::reset
           ? fmt::format("the first stager on {} is gone, though {} answers {} (started anew, or cut off meanwhile)",
                         host, host, here)
           : fmt::format("{} does not answer {} any more (it lost its power or its network; see node-timeout)", host,
                         here),
       topology_.local());
}

std::string Host::name_of_local(std::size_t local) const {
  return fmt::format("stager {}", topology_.here().first + local);
}

void Host::hand_over(std::uint32_t local, const nlohmann::json& guest, std::vector<ipc::Fd> fds) {
  if (local == topology_.local()) return handle(guest, std::move(fds));
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  links_.links[local].send(guest.dump(), numbers, link_limit);
}

void Host::tell(const char* event, const nlohmann::json& facts) {
  events_.tell(event, facts);
}

void Host::write_metrics() {
  views_->of_node(
      [this](const std::vector<nlohmann::json>& views) { metrics_->write(metrics_text(config_.name, views)); });
}

// ---- the end ------------------------------------------------------------------------------------------------------

void Host::stop(const std::string& reason) {
  if (guests_) {
    if (head_) head_->begin(Clock::now());
    stop_unheard_ = true;
    return up({{"type", "stop"}, {"reason", reason}});
  }
  const auto why = fmt::format("stopped while {} ({})", desk_->progress().at("what").get<std::string>(), reason);
  events_.tell("end", {{"reason", why}});
  metrics_->remove();
  desk_->close("the service was " + why);
  log::warn("{}", why);  // by the stager that was told: with several nodes, it need not be the first
  // A launcher must see a failure, or it would let the other stagers wait for this one.
  leave(mpi::launched() ? 1 : 0);
}

void Host::begin_end(const std::string& reason) {
  if (desk_) desk_->close("the service has ended (" + reason + ")");
  if (head_) head_->begin(Clock::now());
  stop_unheard_ = false;
  up({{"type", "ending"}, {"stager", topology_.me()}});
  guests_->close("the service has ended (" + reason + ")", [this] {
    up({{"type", "drained"}, {"stager", topology_.me()}});
  });
}

void Host::look_for_head(Clock::time_point now) {
  if (over_) return;
  if (const auto text = head_->tick(now); text && stop_unheard_) log::warn("{}", *text);
}

void Host::conclude() {
  if (coordinator_) {
    for (const auto& line : coordinator_->summary()) log::info("{}", line);
    audit_failed_ = coordinator_->audit_failed();
    epochs_audited_ = coordinator_->epochs_audited();
    events_.tell("end", {{"reason", coordinator_->reason()}, {"exactly_once", !audit_failed_}});
  }
  if (metrics_) metrics_->remove();
  if (desk_) desk_->over();
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    callback = on_over_;
  }
  changed_.notify_all();
  if (callback) callback();
}

void Host::fail(const std::string& what, std::uint32_t teller) {
  if (std::exchange(failed_, true)) return;
  events_.tell("end", {{"error", what}});
  if (metrics_) metrics_->remove();
  if (desk_) desk_->close(what);
  if (guests_) guests_->farewell(what);
  if (topology_.is_leader()) {
    for (const auto& link : links_.links)
      if (link) link.send(nlohmann::json{{"type", "dead"}, {"text", what}}.dump());
  }
  // Once for the node: every stager of it hears of the death.
  if (topology_.local() == teller) log::error("{}", what);
  leave(1);
}

void Host::leave(int exit_code) {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    callback = on_over_;
  }
  if (callback) callback();
  // The thread that owns MPI may be anywhere, inside a collective read, too.
  _exit(exit_code);
}

void Host::farewell(const std::string& why) {
  post([this, why] {
    events_.tell("end", {{"error", why}});
    if (metrics_) metrics_->remove();
    if (desk_) desk_->close(why);
    if (guests_) guests_->farewell(why);
    {
      const std::lock_guard lock(mutex_);
      farewell_said_ = true;
    }
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(150), [this] { return farewell_said_; });
}

void Host::wait_until_over() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return over_; });
}

bool Host::is_over() {
  const std::lock_guard lock(mutex_);
  return over_;
}

void Host::on_over(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  on_over_ = std::move(callback);
}

}  // namespace headrace::service
