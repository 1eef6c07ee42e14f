// How a service ends: gracefully, with an error, or at once.
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "log/log.hpp"
#include "mpi/launcher.hpp"
#include "service/host/host.hpp"

namespace headrace::service::host {

namespace {
constexpr std::chrono::seconds link_limit{10};
constexpr std::size_t most_told = std::size_t{16} << 10;  // of an error: a message of megabytes would not arrive
constexpr auto tolerant = nlohmann::json::error_handler_t::replace;  // of characters cut in two
}  // namespace

void Host::stop(const std::string& reason) {
  if (trainers_) {
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
  trainers_->close("the service has ended (" + reason + ")", [this] {
    up({{"type", "drained"}, {"stager", topology_.me()}});
  });
}

void Host::look_for_head(Clock::time_point now) {
  if (over_) return;
  if (const auto text = head_->tick(now); text && stop_unheard_) log::warn("{}", *text);
}

void Host::conclude() {
  // The last word to the stagers of this node: who has not got it would take our end for a death.
  for (const auto& link : links_)
    if (link) link->flush_for(link_limit);
  if (coordinator_) {
    coordinator_->last_news();
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
  if (coordinator_) coordinator_->last_news();
  events_.tell("end", {{"error", what}});
  if (metrics_) metrics_->remove();
  if (desk_) desk_->close(what);
  if (trainers_) trainers_->farewell(what);
  if (topology_.is_leader()) {
    for (const auto& link : links_)
      if (link)
        link->say(nlohmann::json{{"type", "dead"}, {"text", what.substr(0, most_told)}}.dump(-1, ' ', true, tolerant));
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
    if (coordinator_) coordinator_->last_news();
    events_.tell("end", {{"error", why}});
    if (metrics_) metrics_->remove();
    if (desk_) desk_->close(why);
    if (trainers_) trainers_->farewell(why);
    {
      const std::lock_guard lock(mutex_);
      farewell_said_ = true;
    }
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(150), [this] { return farewell_said_; });
}

}  // namespace headrace::service::host
