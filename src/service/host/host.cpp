#include "service/host/host.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "log/log.hpp"
#include "service/host/status.hpp"

namespace headrace::service::host {

namespace {

constexpr std::chrono::milliseconds tick_every{250};
constexpr double grace = 1.2;  // for stager 0 to say who is missing before others say that it is
constexpr std::chrono::seconds for_the_mates{10};  // to give back their memory

template <class... Receivers>
struct Overloaded : Receivers... {
  using Receivers::operator()...;
};
template <class... Receivers>
Overloaded(Receivers...) -> Overloaded<Receivers...>;

}  // namespace

Host::Host(const config::Config& config, const job::Topology& topology, std::string word, int stopped_early)
    : config_(config),
      topology_(topology),
      stopped_early_(stopped_early),
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
  // Who asked for the end is to find the memory free that this node's stagers share: the last of them gives it back.
  if (desk_ && desk_->is_awaited() && router_) router_->wait_for_ends(for_the_mates);
}

void Host::halt() {
  thread_.request_stop();
  jobs_.wake();
  if (thread_.joinable()) thread_.join();
  if (watch_) watch_->part();
}

void Host::start() {
  thread_ = std::jthread([this](const std::stop_token& quit) { run(quit); });
}

void Host::meet(job::NodeLinks links, std::vector<job::Neighbour> neighbours) {
  node_links_ = std::move(links);
  neighbours_ = std::move(neighbours);
  jobs_.post([this] {
    watch_.emplace(seat_, poller_, node_links_.links, neighbours_,
                   [this](const std::string& what, std::uint32_t teller) {
                     if (!phase_.is_over()) fail_now(what, teller);
                   });
  });
}

void Host::run(const std::stop_token& quit) {
  pthread_setname_np(pthread_self(), "host");
  try {
    while (!quit.stop_requested()) {
      poller_.wait(tick_every);
      const auto now = Clock::now();
      if (watch_) watch_->tick(now);
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
  return node_links_.share(topology_, std::move(leaders));
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
                 [this](const books::End& end) { begin_end(end.reason); },
                 [this](const books::Exit& exit) { conclude(exit.audit_failed); },
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
