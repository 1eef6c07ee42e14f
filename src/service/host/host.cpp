#include "service/host/host.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <future>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/wait.hpp"
#include "log/log.hpp"
#include "mpi/launcher.hpp"
#include "service/host/status.hpp"

namespace headrace::service::host {

namespace {

constexpr std::chrono::milliseconds tick_every{250};
constexpr double grace = 1.2;  // for stager 0 to say who is missing before others say that it is
constexpr std::chrono::seconds link_limit{10};
// Within that of job/signals.cpp, and of launchers, which kill soon.
const auto farewell_limit = wait_of("HEADRACE_WAIT_FAREWELL", std::chrono::milliseconds{350});
constexpr std::size_t most_told = std::size_t{16} << 10;  // of an error: a message of megabytes would not arrive

template <class... Receivers>
struct Overloaded : Receivers... {
  using Receivers::operator()...;
};
template <class... Receivers>
Overloaded(Receivers...) -> Overloaded<Receivers...>;

}  // namespace

Host::Host(const config::Config& config, const job::Topology& topology, std::string word)
    : config_(config),
      topology_(topology),
      seat_(Seat::of(topology)),
      jobs_(poller_),
      events_(seat_.is_head() ? config.log : "", config.name) {
  if (!seat_.is_head())
    head_watch_.emplace(job::stager_names({{0, 1, seat_.nodes[0].host}}), grace * books::end_limit(config));
  if (!seat_.is_leader()) return;
  metrics_.emplace(metrics_path(config, seat_.nodes, seat_.my_node));
  if (seat_.is_head() && seat_.nodes.size() > 1 && !config.metrics.empty() && !names_node(config.metrics))
    log::info("metrics = {} has no %h for the host's name, so each node adds its own: {} here", config.metrics,
              metrics_path(config, seat_.nodes, seat_.my_node));
  const auto status = [this](std::uint64_t tool) {
    tell_status(config_, seat_, *desk_, views_ ? &*views_ : nullptr, [this, tool](const nlohmann::json& part) {
      desk_->tell(tool, part.dump(), part.at("type") == "viewed");
    });
  };
  desk_.emplace(config_, seat_, poller_,
                FrontDesk::Actions{.claim = [this](books::ClaimRank claim) { router_->to_head(std::move(claim)); },
                                   .hand_over =
                                       [this](std::uint32_t local, books::HandOver trainer, std::vector<ipc::Fd> fds) {
                                         router_->to_local(local, std::move(trainer), std::move(fds));
                                       },
                                   .make_ring = [this](std::uint32_t local,
                                                       books::MakeRing order) { router_->to_local(local, order); },
                                   .stat = status,
                                   .stop = [this](const std::string& reason) { stop(reason); }},
                std::move(word));
}

Host::~Host() {
  halt();
}

void Host::halt() {
  thread_.request_stop();
  jobs_.wake();
  if (thread_.joinable()) thread_.join();
  if (watch_) watch_->part();
}

void Host::start(job::NodeLinks links, std::vector<job::Neighbour> neighbours) {
  watch_.emplace(seat_, poller_, std::move(links), std::move(neighbours),
                 [this](const std::string& what, std::uint32_t teller) {
                   if (!phase_.is_over()) fail_now(what, teller);
                 });
  thread_ = std::jthread([this](const std::stop_token& quit) { run(quit); });
}

void Host::run(const std::stop_token& quit) {
  pthread_setname_np(pthread_self(), "host");
  try {
    while (!quit.stop_requested()) {
      poller_.wait(tick_every);
      const auto now = Clock::now();
      watch_->tick(now);
      if (desk_) desk_->tick(now);
      if (coordinator_) coordinator_->tick(now);
      if (head_watch_) watch_head(now);
      if (trainers_) trainers_->tick(now);
      if (views_) views_->tick(now);
      if (views_ && metrics_ && metrics_->take_turn(now)) write_metrics();
    }
  } catch (const std::exception& error) {
    fail_here(error.what());
  }
}

ipc::Fd Host::share(ipc::Fd leaders) {
  return watch_->links().share(topology_, std::move(leaders));
}

void Host::loading(const std::string& what, double fraction) {
  if (seat_.is_leader()) jobs_.post([this, what, fraction] { desk_->loading(what, fraction); });
}

void Host::open(Service service) {
  jobs_.post([this, service = std::move(service)]() mutable {
    service_ = std::move(service);
    const auto post = [this](std::function<void()> job) { jobs_.post(std::move(job)); };
    const auto to_head = [this](books::ToHead message) { router_->to_head(std::move(message)); };
    const auto to_leader = [this](books::ToLeader message) { router_->to_leader(std::move(message)); };
    const auto to_node = [this](std::uint32_t node, books::FromHead message) {
      router_->to_node(node, std::move(message));
    };
    router_.emplace(seat_, poller_, watch_->release_links(), service_.send_to_stager, post,
                    Router::Receivers{.head = [this](books::ToHead message) { receive(std::move(message)); },
                                      .from_head = [this](books::FromHead message) { receive(std::move(message)); },
                                      .from_node = [this](books::ToLeader message) { receive(std::move(message)); },
                                      .from_leader =
                                          [this](books::ToStager message, std::vector<ipc::Fd> fds) {
                                            receive(std::move(message), std::move(fds));
                                          },
                                      .link_closed = [this](std::uint32_t local) { link_closed(local); }});
    if (seat_.is_head())
      coordinator_.emplace(config_, *service_.blueprint, seat_.nodes, service_.stream_hashes,
                           service_.panes != nullptr ? &service_.panes->windowing() : nullptr, events_, to_node);
    service_.draws->connect(*service_.workers, [this](std::uint32_t stream, std::uint64_t epoch) {
      jobs_.post([this, stream, epoch] { router_->to_head(books::WantDraw{seat_.my_node, stream, epoch}); });
    });
    trainers_.emplace(config_, topology_, poller_, *service_.supply, *service_.workers, *service_.rings,
                      delivery::Trainers::Actions{.to_head = to_head, .to_leader = to_leader, .post = post});
    views_.emplace(seat_.nodes, seat_.my_node, seat_.local, service_.memory,
                   Views::Actions{.up = to_head,
                                  .down = to_node,
                                  .to_others = [this](const books::ToStager& message) { router_->to_others(message); },
                                  .to_leader = to_leader,
                                  .trainers = [this] { return trainers_->figures(); },
                                  .retired = [this] { return trainers_->retired(); },
                                  .scratch_read = service_.scratch_read,
                                  .window_read = service_.window_read,
                                  .service = [this] { return coordinator_->figures(); }});
    phase_.enter(Phase::open);
    if (desk_) desk_->open(*service_.blueprint, service_.memory);
    if (coordinator_) coordinator_->begin();
  });
}

void Host::tell(const char* event, const nlohmann::json& facts) {
  events_.tell(event, facts);
}

void Host::advise(std::string what) {
  jobs_.post([this, what = std::move(what)]() mutable { advice_ = std::move(what); });
}

void Host::show_state() {
  if (!seat_.is_head()) return;
  jobs_.post([this] { log_status(config_, seat_, *desk_, views_ ? &*views_ : nullptr, events_); });
}

void Host::write_metrics() {
  views_->of_node([this](const std::vector<books::View>& views) {
    std::vector<nlohmann::json> documents;
    for (const auto& view : views) documents.push_back(books::document(view));
    std::optional<books::ArrivalFigures> arrival;
    if (const auto* arrivals = service_.arrivals)
      arrival = {.windows = arrivals->windows(), .opened = arrivals->opened()};
    metrics_->write(metrics_text(config_.name, documents, arrival));
  });
}

// ---- the end: gracefully, with an error, or at once ---------------------------------------------------------------

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
  log::warn("{}", why);  // by the stager that was told: with several nodes, it need not be the first
  // A launcher must see a failure, or it would let the other stagers wait for this one.
  leave(mpi::launched() ? 1 : 0);
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

void Host::conclude() {
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
  if (desk_) desk_->over();
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
  if (router_) router_->last_word_to_others(books::Dead{what.substr(0, most_told)});
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
  const bool told = router_ && !phase_.is_over() &&
                    router_->last_word_to_leader(books::Ended{what.substr(0, most_told)});
  fail_now(what, told ? 0 : seat_.local);
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
    const auto told = why.substr(0, most_told);
    // First: launchers end all at once, and this process's end must not be seen before its reason.
    if (router_ && !phase_.is_over()) {
      router_->last_word_to_others(books::Dead{told});
      router_->last_word_to_leader(books::Ended{told});
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

// ---- the table of routes: what each message does here -------------------------------------------------------------

void Host::message_from_stager(std::string text) {
  jobs_.post([this, text = std::move(text)] { router_->arrived(text); });
}

// At stager 0.
void Host::receive(books::ToHead message) {
  std::visit(Overloaded{[this](const books::Watch& watch) { views_->hear(watch); },
                        [this](const books::View& view) { views_->hear(view); },
                        [this](const auto& said) { coordinator_->hear(said); }},
             message);
}

// At a leader.
void Host::receive(books::FromHead message) {
  std::visit(Overloaded{[this](const books::Granted& granted) { desk_->hear(granted); },
                        [this](const books::ClaimRefused& refused) { desk_->hear(refused); },
                        [this](const books::AgreeAnswer& answer) { router_->to_local(answer.local, answer); },
                        [this](const books::StateTaken& taken) { to_all_here(taken); },
                        [this](const books::AskLeftOut& ask) { left_out(ask.what); },
                        [this](const books::AskDraw& ask) { to_all_here(ask); },
                        [this](const books::DrawRows& rows) { to_all_here(rows); },
                        [this](const books::WindowOrder& order) { to_all_here(order); },
                        [this](const books::ArrivalOrder& order) { to_all_here(order); },
                        [this](const books::End& end) { to_all_here(end); },
                        [this](const books::Exit& exit) { to_all_here(exit); },
                        [this](const books::Look& look) { views_->hear(look); },
                        [this](const books::Shown& shown) { views_->hear(shown); },
                        [this](const books::Viewed& viewed) { views_->hear(viewed); }},
             message);
}

// At a leader, about its node.
void Host::receive(books::ToLeader message) {
  std::visit(Overloaded{[this](const books::Figures& figures) { views_->hear(figures); },
                        [this](const books::Ended& ended) {
                          if (!phase_.is_over()) fail_now(ended.text, 0);
                        },
                        [this](const auto& about_ring) { desk_->hear(about_ring); }},
             message);
}

// At any stager.
void Host::receive(books::ToStager message, std::vector<ipc::Fd> fds) {
  std::visit(
      Overloaded{[&](const books::HandOver& trainer) { trainers_->welcome(trainer, std::move(fds)); },
                 [this](const books::MakeRing& order) { trainers_->hear(order); },
                 [this](const books::AgreeAnswer& answer) { trainers_->hear(answer); },
                 [this](const books::StateTaken& taken) { trainers_->hear(taken); },
                 [this](const books::End& end) { begin_end(end.reason); }, [this](const books::Exit&) { conclude(); },
                 [this](const books::AskDraw& ask) { draw(ask); },
                 [this](const books::DrawRows& drawn) { service_.draws->came(drawn.stream, drawn.epoch, drawn.rows); },
                 [this](const books::WindowOrder& order) { turn_windows(order); },
                 [this](const books::ArrivalOrder& order) { take_in(order); },
                 [this](const books::Look& look) { views_->hear(look); },
                 [this](const books::Dead& dead) { fail_now(dead.text, 0); }},
      message);
}

void Host::to_all_here(const books::ToStager& message) {
  router_->to_others(message);
  receive(message, {});
}

void Host::left_out(const books::LeftOut& question) {
  // A worker does it: after a seek it may be many samples.
  service_.workers->post([this, question] { add_left_out(question); });
}

void Host::add_left_out(const books::LeftOut& question) {
  const auto strata =
      service_.supply->strata(question.stream, question.epoch, [this, question] { add_left_out(question); });
  if (!strata) return;  // it comes again
  const auto& here = seat_.here();
  const auto hash = books::left_out_hash(*service_.blueprint, *strata, config_.seed, question, here.first,
                                         here.first + here.stagers, &walked_);
  jobs_.post([this, question, hash] { router_->to_head(books::LeftOutSum{seat_.my_node, question, hash}); });
}

void Host::draw(const books::AskDraw& asked) {
  service_.workers->post([this, asked] {
    const auto rows = service_.draws->rows(asked.stream, asked.epoch);
    jobs_.post([this, asked, rows] { router_->to_head(books::Drawn{seat_.me(), asked.stream, asked.epoch, rows}); });
  });
}

}  // namespace headrace::service::host
