// The end of a stager, as its host brings it about: gracefully, with an error, or at once.
#include <fmt/format.h>
#include <unistd.h>

#include <future>
#include <nlohmann/json.hpp>

#include "base/wait.hpp"
#include "log/log.hpp"
#include "mpi/launcher.hpp"
#include "service/host/host.hpp"

namespace headrace::service::host {

namespace {

constexpr std::chrono::seconds link_limit{10};
// Within that of job/signals.cpp, and of launchers, which kill soon.
const auto farewell_limit = wait_of("HEADRACE_WAIT_FAREWELL", std::chrono::milliseconds{350});
constexpr std::size_t most_told = std::size_t{16} << 10;  // of an error: a message of megabytes would not arrive

}  // namespace

void Host::stop(const std::string& reason) {
  if (phase_.has_opened()) {
    // From now on stager 0 owes an answer, which may have hung up by now: who asked must hear of that.
    if (head_watch_) head_watch_->begin(Clock::now());
    if (phase_.now() == Phase::open) phase_.enter(Phase::stopping);
    return router_->to_head(books::Stop{reason});
  }
  const auto why = fmt::format("stopped while {} ({})", desk_->progress().what, reason);
  events_.tell("end", {{"reason", why}});
  metrics_->remove();
  desk_->close_at_once("the service was " + why);
  desk_->over(false);
  last_word_to_others("the service was " + why);
  log::warn("{}", why);  // by the stager that was told: with several nodes, it need not be the first
  // A launcher must see a failure, or it would let the other stagers wait for this one.
  leave(mpi::launched() ? 1 : stopped_early_);
}

void Host::begin_end(const std::string& reason) {
  const auto why = "the service has ended (" + reason + ")";
  if (desk_) desk_->close(why);
  if (head_watch_) head_watch_->begin(Clock::now());
  phase_.enter(Phase::ending);
  router_->to_head(books::Ending{seat_.me()});
  trainers_->close(why, [this] { router_->to_head(books::Drained{seat_.me()}); });
}

void Host::watch_head(Clock::time_point now) {
  if (phase_.is_over()) return;
  // While the service ends stager 0 itself tells whom it waits for; before it has answered nobody else would.
  if (const auto text = head_watch_->tick(now); text && phase_.now() == Phase::stopping) log::warn("{}", *text);
}

void Host::conclude(bool audit_failed) {
  // The last word to the stagers of this node: who has not got it would take our end for a death.
  router_->flush_for(link_limit);
  if (coordinator_) {
    coordinator_->last_news();
    for (const auto& line : coordinator_->summary()) log::info("{}", line);
    audit_failed_ = coordinator_->audit_failed();
    epochs_audited_ = coordinator_->epochs_audited();
    events_.tell("end", {{"reason", coordinator_->reason()}, {"exactly_once", !audit_failed_}});
  }
  if (metrics_) metrics_->remove();
  if (desk_) desk_->over(audit_failed);
  phase_.enter(Phase::over);
  watch_->part();
  phase_.tell_end();
}

void Host::link_closed(std::uint32_t local) {
  if (phase_.is_over()) return;
  // The leader tells its node of a death; of its own death the next stager does.
  const std::uint32_t teller = local == 0 ? 1 : 0;
  fail_now(fmt::format("stager {} on {} died", seat_.here().first + local, seat_.here().host), teller);
}

void Host::fail_now(std::string what, std::uint32_t teller) {
  if (phase_.now() == Phase::failed) leave(1);  // something failed again on the way out
  if (!advice_.empty()) what += "; " + advice_;
  phase_.enter(Phase::failed);
  say_failed(what);
  last_word_to_others(what);
  // Once for the node: every stager of it hears of the death.
  if (seat_.local == teller) log::error("{}", what);
  leave(1);
}

void Host::fail(std::string what) {
  jobs_.post([this, what = std::move(what)] {
    if (!phase_.is_over()) fail_here(what);
  });
}

void Host::fail_here(const std::string& what) {
  // The leader tells for the node: it must hear the reason before it sees this process's end.
  const bool told = !phase_.is_over() && last_word_to_leader(what);
  fail_now(what, told ? 0 : seat_.local);
}

void Host::last_word_to_others(const std::string& what) {
  const auto told = what.substr(0, most_told);
  if (router_)
    router_->last_word_to_others(books::Dead{told});
  else if (watch_ && seat_.is_leader())
    watch_->last_words(told);
}

bool Host::last_word_to_leader(const std::string& what) {
  const auto told = what.substr(0, most_told);
  if (router_) return router_->last_word_to_leader(books::Ended{told});
  return watch_ && !seat_.is_leader() && watch_->last_words(told);
}

void Host::say_failed(const std::string& what) {
  if (coordinator_) coordinator_->last_news();
  events_.tell("end", {{"error", what}});
  if (metrics_) metrics_->remove();
  if (desk_) desk_->close_at_once(what);
  if (trainers_) trainers_->farewell(what);
}

void Host::leave(int exit_code) {
  phase_.tell_end();
  // The thread that owns MPI may be anywhere, inside a collective read, too.
  _exit(exit_code);
}

void Host::farewell(const std::string& why) {
  in_time([this, why] { say_failed(why); });
}

void Host::farewell_to_all(const std::string& why) {
  in_time([this, why] {
    // First: launchers end all at once, and this process's end must not be seen before its reason.
    if (!phase_.is_over()) {
      last_word_to_others(why);
      last_word_to_leader(why);
      phase_.enter(Phase::failed);  // those who have heard it leave: not to be told as deaths
    }
    say_failed(why);
  });
}

/// In the host's thread, which may be busy for a while: then it is not waited for.
void Host::in_time(std::function<void()> words) {
  if (!thread_.joinable()) return;  // it has not begun
  const auto said = std::make_shared<std::promise<void>>();
  jobs_.post([words = std::move(words), said] {
    words();
    said->set_value();
  });
  said->get_future().wait_for(farewell_limit);
}

}  // namespace headrace::service::host
