#include "service/delivery/trainers.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "log/log.hpp"
#include "service/delivery/provenance.hpp"

namespace headrace::service::delivery {

namespace {
constexpr std::chrono::milliseconds look_every{250};  // at what came back without a bell, so that it counts soon
// What a trainer may ask between two looks. Seeks cost the least: some make one for each batch.
constexpr unsigned cost_of_seek = 1, cost_of_question = 20;
constexpr unsigned cost_of_windows = 250;  // whose order may have to be made anew
constexpr ipc::Courier::Manner manner{.polite = true, .limit = 1u << 20, .allowance = 5000};
constexpr unsigned rings_heard = 10'000;   // between two looks; batches of any size need less
constexpr double report_stall_after = 60;  // seconds; a checkpoint may take long, so this is told, never fatal

std::vector<std::string> names_of(const std::vector<blueprint::StreamFacts>& streams) {
  std::vector<std::string> names;
  for (const auto& stream : streams) names.push_back(stream.name);
  return names;
}
}  // namespace

Trainers::Trainers(const config::Config& config, const job::Topology& topology, ipc::Poller& poller,
                   const Supply& supply, Workers& workers, const Rings& rings, Actions actions)
    : config_(config),
      topology_(topology),
      poller_(poller),
      supply_(supply),
      workers_(workers),
      rings_(rings),
      actions_(std::move(actions)),
      ring_watch_(rings, workers, names_of(supply.blueprint().streams), topology.here().host,
                  {actions_.to_leader, actions_.post}) {
  for (const auto& stream : config.streams)
    fingerprints_.push_back(blueprint::fingerprint_of(config, stream, supply.blueprint().catalog));
}

Trainers::~Trainers() {
  for (const auto& [id, member] : members_) {
    poller_.remove(member.bell.fd());
    poller_.remove(member.pidfd.get());
  }
}

void Trainers::rung(std::uint64_t id) {
  auto& member = members_.at(id);
  const auto& feed = trainers_.at(member.trainer).feed;
  if (feed->wants_pump()) workers_.post([feed] { feed->pump(); });
  // Who rings without end is looked at as often as those that do not ring.
  if (++member.rung == rings_heard) poller_.remove(member.bell.fd());
}

void Trainers::look_at_all() {
  for (auto& [id, trainer] : trainers_)
    if (trainer.feed->has_returns()) workers_.post([feed = trainer.feed] { feed->pump(); });
  for (auto& [id, member] : members_) {
    member.talk->renew();
    if (std::exchange(member.rung, 0) >= rings_heard) poller_.add_edge(member.bell.fd(), [this, of = id] { rung(of); });
  }
}

const std::string& Trainers::stream_name(const ServedTrainer& trainer) const {
  return supply_.blueprint().streams[trainer.stream].name;
}

void Trainers::welcome(const books::HandOver& handed, std::vector<ipc::Fd> fds) {
  if (fds.size() != 2) return lose(handed);
  if (!handed.joins) found(handed);
  if (const auto trainer = of_place(handed)) return enter(*trainer, handed, std::move(fds));
  ipc::Courier(poller_, ipc::Connection(std::move(fds[0])), manner, [] {})
      .say(ring::encode(ring::Refused{ring::Refusal::refused,
                                      "the other replicas of this trainer have just gone; start all of them again"}));
}

std::optional<std::uint64_t> Trainers::of_place(const books::HandOver& handed) const {
  const auto trainer = std::ranges::find_if(trainers_, [&](const auto& entry) {
    const auto& one = entry.second;
    return one.stream == handed.stream && one.ring == handed.ring && !one.leaving;
  });
  return trainer == trainers_.end() ? std::nullopt : std::optional(trainer->first);
}

void Trainers::lose(const books::HandOver& handed) {
  const auto why = fmt::format("no file descriptor was left to take over trainer {} ({})", handed.rank, handed.who);
  if (!handed.joins) {
    log::warn("stream {}: {}; its place is free again", supply_.blueprint().streams[handed.stream].name, why);
    actions_.to_head(books::Left{handed.stream, handed.rank, handed.grant.generation, handed.grant.ledger, false});
    return actions_.to_leader(books::RingLeft{handed.stream, handed.ring, books::RingState::whole});
  }
  if (const auto trainer = of_place(handed))
    for (const auto member : members_of(*trainer)) throw_out(member, why + "; start all replicas again");
}

void Trainers::found(const books::HandOver& handed) {
  const auto id = next_id_++;
  auto& trainer = trainers_[id];
  trainer.stream = handed.stream;
  trainer.rank = handed.rank;
  trainer.world_size = handed.world_size;
  trainer.ring = handed.ring;
  trainer.generation = handed.grant.generation;
  trainer.session = handed.grant.session;
  trainer.who = handed.who;
  trainer.replicas = supply_.blueprint().streams[trainer.stream].replicas;

  const auto schedule = supply_.blueprint().streams[trainer.stream].schedule(trainer.world_size);
  trainer.steps = schedule.steps();
  trainer.batch_bytes = schedule.batch() * row_bytes(supply_.blueprint().schema);
  const auto at = handed.grant.ledger.position();
  auto& keeper = *rings_.at(trainer.stream, trainer.ring);
  keeper.lend();
  auto& ring = keeper.ring();
  ring.configure(schedule.most_rows(), 1, supply_.blueprint().slots_of(config_, trainer.stream));
  trainer.following.emplace(trainer.steps, ring.slots());
  trainer.following->loaded(handed.grant.loads);
  for (const auto& state : handed.grant.resumed) trainer.following->resumed(state, at, 0);
  trainer.feed = feed_for(id, trainer, handed.grant.ledger);
  log::debug("stream {}: trainer {} of {} ({}) attached at epoch {}, step {}", stream_name(trainer), trainer.rank,
             trainer.world_size, trainer.who, at.epoch, at.step);
}

void Trainers::enter(std::uint64_t trainer_id, const books::HandOver& handed, std::vector<ipc::Fd> fds) {
  auto& trainer = trainers_.at(trainer_id);
  const auto id = next_id_++;
  auto& member = members_[id];
  member.trainer = trainer_id;
  member.replica = handed.replica;
  member.who = handed.who;
  member.talk =
      std::make_unique<ipc::Courier>(poller_, ipc::Connection(std::move(fds[0])), manner, [this, id] { read(id); });
  member.pidfd = std::move(fds[1]);
  ++trainer.came;
  ++trainer.here;
  auto& ring = rings_.at(trainer.stream, trainer.ring)->ring();
  try {
    member.bell = ipc::Bell::make();
    poller_.add_edge(member.bell.fd(), [this, id] { rung(id); });
    poller_.add(member.pidfd.get(), [this, id] { ended(id); });
    fds.clear();
    fds.push_back(ring.for_trainer());
    fds.push_back(member.bell.duplicate().take());
    fds.push_back(ipc::open_pidfd(getpid()));
    if (ring.shared()) fds.push_back(trainer.feed->join(member.replica));
    if (ring.shared() && trainer.came == trainer.replicas) trainer.feed->begin();
    workers_.post([feed = trainer.feed] { feed->pump(); });
    say(id,
        ring::encode(welcome_for(trainer, member.replica, config_, topology_, supply_.blueprint(),
                                 fingerprints_[trainer.stream], ring, trainer.feed->position())),
        std::move(fds));
  } catch (const std::exception& error) {  // a welcome too long for any socket, no descriptors left
    throw_out(id, error.what());
  }
}

std::shared_ptr<Feed> Trainers::feed_for(std::uint64_t id, const ServedTrainer& trainer, books::Ledger ledger) {
  const auto& facts = supply_.blueprint().streams[trainer.stream];
  // Feeds call back from workers: by number, since the trainer may be gone by then.
  Feed::Events events{.epoch_done =
                          [this, id](const EpochReport& done) {
                            actions_.post([this, id, done] {
                              if (const auto found = trainers_.find(id); found != trainers_.end())
                                report(found->second, done, false);
                            });
                          },
                      .violation =
                          [this, id](std::uint32_t replica, const std::string& what) {
                            actions_.post([this, id, replica, what] {
                              for (const auto member : members_of(id, replica)) throw_out(member, what);
                            });
                          },
                      .moved =
                          [this, stream = trainer.stream, rank = trainer.rank,
                           generation = trainer.generation](const std::optional<plan::EpochWindow>& at) {
                            actions_.post([this, stream, rank, generation, at] {
                              actions_.to_head(books::AtWindow{stream, rank, generation, at});
                            });
                          }};
  return std::make_shared<Feed>(supply_, workers_, rings_.at(trainer.stream, trainer.ring)->ring(),
                                Feed::Recipient{trainer.stream, trainer.rank, facts.name, config_.seed,
                                                config_.audit == config::Audit::full, facts.order},
                                facts.schedule(trainer.world_size), std::move(ledger), std::move(events));
}

void Trainers::read(std::uint64_t id) {
  try {
    const auto received = members_.at(id).talk->receive();
    if (received.what == ipc::Receipt::closed) return leave(id, false, "it closed its connection");
    if (received.what == ipc::Receipt::message) hear(id, ring::decode_from_client(received.message.text));
  } catch (const std::exception& error) {
    throw_out(id, error.what());
  }
}

/// A goodbye may lie behind other words, whose answers nobody waits for any more.
void Trainers::ended(std::uint64_t id) {
  constexpr int most_unread = 1 << 12;  // a child that has its socket could go on for ever
  std::optional<ring::FromClient> place;  // of several seeks the last: nothing was taken in between
  bool goodbye = false;
  try {
    const auto& talk = *members_.at(id).talk;
    for (int count = 0; count < most_unread && !goodbye; ++count) {
      const auto received = talk.receive();
      if (received.what != ipc::Receipt::message) break;
      auto said = ring::decode_from_client(received.message.text);
      goodbye = std::holds_alternative<ring::Goodbye>(said);
      if (std::holds_alternative<ring::Seek>(said)) place = std::move(said);
    }
    if (place) hear(id, *place);
  } catch (const std::exception& error) {
    return throw_out(id, error.what());
  }
  leave(id, goodbye, goodbye ? "goodbye" : "its process ended");
}

void Trainers::hear(std::uint64_t id, const ring::FromClient& said) {
  auto& member = members_.at(id);
  if (std::holds_alternative<ring::Goodbye>(said)) return leave(id, true, "goodbye");
  const auto* wanted = std::get_if<ring::Seek>(&said);
  const bool windows = supply_.panes_of(trainers_.at(member.trainer).stream) != nullptr;
  member.talk->spend(wanted == nullptr ? cost_of_question : windows ? cost_of_windows : cost_of_seek);
  if (std::holds_alternative<ring::AskFiles>(said)) return tell_files(id);
  const auto* asked = std::get_if<ring::Agree>(&said);
  require(wanted != nullptr || asked != nullptr, "it sent a message that makes no sense here");
  require(member.replica == 0, fmt::format("replica {} seeks, which replica 0 alone does", member.replica));
  if (asked != nullptr) return agree(member, *asked);
  seek(trainers_.at(member.trainer), *wanted);
}

void Trainers::say(std::uint64_t id, std::string text, std::vector<ipc::Fd> fds) {
  const auto& member = members_.at(id);
  // closed: the end of its connection will say so, after what it still said itself.
  if (member.talk->say(std::move(text), std::move(fds)) == ipc::Courier::Said::overfull)
    leave(id, false, "it does not read what it is told");
}

void Trainers::throw_out(std::uint64_t id, const std::string& why, ring::Refusal kind) {
  if (const auto found = members_.find(id); found != members_.end())
    found->second.talk->say(ring::encode(ring::Refused{kind, why}));
  leave(id, false, why);
}

std::vector<std::uint64_t> Trainers::members_of(std::uint64_t trainer, std::optional<std::uint32_t> replica) const {
  std::vector<std::uint64_t> found;
  for (const auto& [id, member] : members_)
    if (member.trainer == trainer && (!replica || member.replica == *replica)) found.push_back(id);
  return found;
}

void Trainers::tell_files(std::uint64_t id) {
  if (!files_) files_ = table_of_files(supply_.blueprint().catalog);
  std::vector<ipc::Fd> fds;
  fds.push_back(files_.duplicate());
  say(id, ring::encode(ring::FilesTold{}), std::move(fds));
}

void Trainers::leave(std::uint64_t id, bool goodbye, const std::string& why) {
  auto node = members_.extract(id);
  if (node.empty()) return;
  auto& member = node.mapped();
  auto& trainer = trainers_.at(member.trainer);
  poller_.remove(member.bell.fd());
  poller_.remove(member.pidfd.get());
  member.talk.reset();
  trainer.goodbye = trainer.goodbye && goodbye;
  const bool last = --trainer.here == 0;
  const auto replica = trainer.replicas > 1 ? fmt::format("replica {} of ", member.replica) : "";
  if (!goodbye && !drained_)
    log::warn("stream {}: {}trainer {} ({}) is gone: {}; {}", stream_name(trainer), replica, trainer.rank, member.who,
              why,
              last ? "its unreleased batches wait for whoever takes its rank" : "what it held is left to the others");
  if (trainer.replicas > 1) {
    trainer.feed->drop(member.replica);
    workers_.post([feed = trainer.feed] { feed->pump(); });
  }
  if (!last) return;
  trainer.leaving = true;
  constexpr std::size_t longest_reason = 255;  // parts of it may be the trainer's own words
  trainer.leaver = Leaver{std::move(member.pidfd), fmt::format("trainer {} ({})", trainer.rank, member.who),
                          printable(why.substr(0, longest_reason)), trainer.goodbye};
  trainer.feed->close(
      [this, of = member.trainer, all = trainer.goodbye] { actions_.post([this, of, all] { gone(of, all); }); });
}

void Trainers::gone(std::uint64_t id, bool goodbye) {
  auto node = trainers_.extract(id);
  auto& trainer = node.mapped();
  auto ledger = trainer.feed->ledger();
  ledger.rewind();
  if (goodbye) report_abandoned(trainer, ledger.leave());
  actions_.to_head(books::Left{trainer.stream, trainer.rank, trainer.generation, ledger, goodbye});
  // In this order: the coordinator must hear that the trainer left before somebody comes to its ring.
  ring_watch_.back(trainer.stream, trainer.ring, std::move(*trainer.leaver), Clock::now());
  if (trainers_.empty() && drained_) std::exchange(drained_, nullptr)();
}

void Trainers::report(const ServedTrainer& trainer, const EpochReport& done, bool abandoned) {
  actions_.to_head(books::TrainerEpoch{.stream = trainer.stream,
                                       .rank = trainer.rank,
                                       .world_size = trainer.world_size,
                                       .session = trainer.session,
                                       .abandoned = abandoned,
                                       .tally = done.tally,
                                       .seconds = done.seconds,
                                       .trainer_wait = done.trainer_wait,
                                       .stager_wait = done.stager_wait});
  if (!abandoned && trainer.feed->ledger().finished())
    actions_.to_head(books::Finished{trainer.stream, trainer.rank, trainer.generation, true});
}

void Trainers::report_abandoned(const ServedTrainer& trainer, const std::vector<books::Tally>& tallies) {
  for (const auto& tally : tallies) report(trainer, {tally, 0, 0, 0}, true);
}

void Trainers::tick(Clock::time_point now) {
  const bool look = now >= next_look_;
  if (look) {
    next_look_ = now + look_every;
    look_at_all();
    look_for_strays();
  }
  ring_watch_.look(now, look);
  for (auto& [id, trainer] : trainers_) {
    trainer.look(now);
    look_for_stall(trainer);
    if (trainer.came < trainer.replicas) look_for_missing(id, trainer, now);
  }
}

void Trainers::look_for_missing(std::uint64_t id, ServedTrainer& trainer, Clock::time_point now) {
  if (seconds_between(trainer.since, now) < report_stall_after) return;
  trainer.since = now;
  log::info("stream {}: trainer {} begins when all of its {} replicas have come; {} are there ({})",
            stream_name(trainer), trainer.rank, trainer.replicas, trainer.here,
            members_of(id).empty() ? "none" : members_.at(members_of(id).front()).who);
}

void Trainers::look_for_stall(ServedTrainer& trainer) {
  const auto idle = trainer.feed->idle_seconds();
  if (idle < report_stall_after) trainer.stall_told = false;
  if (idle >= report_stall_after && !std::exchange(trainer.stall_told, true)) {
    const auto at = trainer.feed->position();
    log::info("stream {}: trainer {} ({}) has asked for nothing for {:.0f} s (at epoch {}, step {}); waiting for it",
              stream_name(trainer), trainer.rank, trainer.who, idle, at.epoch, at.step);
  }
  if (config_.stall_timeout > 0 && idle >= config_.stall_timeout && !drained_)
    actions_.to_head(books::Stop{fmt::format("{} asked for nothing for {:g} s (stall-timeout)",
                                             trainer.name(stream_name(trainer)), config_.stall_timeout)});
}

void Trainers::farewell(const std::string& why) {
  for (const auto& [id, member] : members_) member.talk->say(ring::encode(ring::Dying{why}));
}

void Trainers::close(const std::string& why, std::function<void()> drained) {
  farewell(why);
  ring_watch_.close();
  drained_ = std::move(drained);
  std::vector<std::uint64_t> ids;
  for (const auto& [id, member] : members_) ids.push_back(id);
  for (const auto id : ids) leave(id, false, why);
  if (trainers_.empty()) std::exchange(drained_, nullptr)();
}

std::vector<books::TrainerFigures> Trainers::figures() const {
  std::vector<books::TrainerFigures> all;
  for (const auto& [id, trainer] : trainers_) all.push_back(trainer.figures(stream_name(trainer), topology_));
  std::map<std::uint64_t, std::size_t> places;
  for (const auto& [id, trainer] : trainers_) places.emplace(id, places.size());
  for (const auto& [id, member] : members_) {
    const auto& trainer = trainers_.at(member.trainer);
    if (trainer.replicas == 1) continue;
    const auto stats = trainer.feed->ring_stats(member.replica);
    all[places.at(member.trainer)].here.push_back({.replica = member.replica,
                                                   .who = member.who,
                                                   .batches = stats.acquired,
                                                   .ready = stats.ready,
                                                   .unreturned = stats.out,
                                                   .waiting = stats.waiting});
  }
  for (auto& trainer : all) std::ranges::sort(trainer.here, {}, &books::ReplicaFigures::replica);
  return all;
}

}  // namespace headrace::service::delivery
