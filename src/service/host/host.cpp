#include "service/host/host.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <utility>

#include "base/error.hpp"
#include "log/log.hpp"
#include "service/delivery/trainers.hpp"

namespace headrace::service::host {

namespace {
constexpr std::chrono::milliseconds tick_every{250};
constexpr double grace = 1.2;  // for stager 0 to say who is missing before others say that it is
}  // namespace

Host::Host(const config::Config& config, const job::Topology& topology)
    : config_(config),
      topology_(topology),
      bell_(ipc::Bell::make()),
      events_(topology.me() == 0 ? config.log : "", config.name) {
  poller_.add(bell_.fd(), [this] { take_jobs(); });
  if (topology.me() != 0)
    head_.emplace(job::stager_names({{0, 1, topology.nodes[0].host}}), grace * books::end_limit(config));
  if (!topology.is_leader()) return;
  metrics_.emplace(metrics_path(config, topology.nodes, topology.my_node));
  if (topology.me() == 0 && topology.nodes.size() > 1 && !config.metrics.empty() && !names_node(config.metrics))
    log::info("metrics = {} has no %h for the host's name, so each node adds its own: {} here", config.metrics,
              metrics_path(config, topology.nodes, topology.my_node));
  desk_.emplace(config_, topology_, poller_,
                FrontDesk::Actions{
                    .claim = [this](const nlohmann::json& claim) { up(claim); },
                    .hand_over = [this](std::uint32_t local, const nlohmann::json& trainer,
                                        std::vector<ipc::Fd> fds) { to_local(local, trainer, std::move(fds)); },
                    .make_ring = [this](std::uint32_t local, const nlohmann::json& order) { to_local(local, order); },
                    .stat =
                        [this](std::uint64_t tool) {
                          view([this, tool](const nlohmann::json& part) {
                            desk_->tell(tool, part.dump(), part.at("type") == "viewed");
                          });
                        },
                    .stop = [this](const std::string& reason) { stop(reason); }});
}

Host::~Host() {
  quit_ = true;
  bell_.ring();
  if (thread_.joinable()) thread_.join();
}

void Host::start(job::NodeLinks links, std::vector<job::Neighbour> neighbours) {
  node_links_ = std::move(links);
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
      if (trainers_) trainers_->tick(now);
      if (views_) views_->tick(now);
      if (views_ && metrics_ && metrics_->take_turn(now)) write_metrics();
    }
  } catch (const std::exception& error) {
    fail(error.what(), topology_.local());
  }
}

ipc::Fd Host::share(ipc::Fd leaders) {
  return node_links_.share(topology_, std::move(leaders));
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
    open_links();
    if (topology_.me() == 0)
      coordinator_.emplace(config_, *service_.blueprint, topology_.nodes, service_.stream_hashes, events_,
                           [this](std::uint32_t node, const nlohmann::json& message) { down(node, message); });
    trainers_.emplace(config_, topology_, poller_, *service_.supply, *service_.workers, *service_.rings,
                      delivery::Trainers::Actions{.up = [this](const nlohmann::json& message) { up(message); },
                                                  .post = [this](std::function<void()> job) { post(std::move(job)); }});
    views_.emplace(
        topology_.nodes, topology_.my_node, topology_.local(), service_.memory,
        Views::Actions{.up = [this](const nlohmann::json& message) { up(message); },
                       .down = [this](std::uint32_t node, const nlohmann::json& message) { down(node, message); },
                       .to_node = [this](const nlohmann::json& message) { broadcast(message); },
                       .to_leader = [this](const nlohmann::json& message) { to_link(0, message); },
                       .trainers = [this] { return trainers_->stat(); },
                       .retired = [this] { return trainers_->retired(); },
                       .service = [this] { return coordinator_->stat(); }});
    if (desk_) desk_->open(*service_.blueprint, service_.memory);
  });
}

void Host::tell(const char* event, const nlohmann::json& facts) {
  events_.tell(event, facts);
}

void Host::write_metrics() {
  views_->of_node(
      [this](const std::vector<nlohmann::json>& views) { metrics_->write(metrics_text(config_.name, views)); });
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

}  // namespace headrace::service::host
