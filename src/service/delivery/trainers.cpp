#include "service/delivery/trainers.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "log/log.hpp"
#include "service/books/messages.hpp"
#include "service/delivery/provenance.hpp"

namespace headrace::service::delivery {

namespace {
constexpr std::chrono::milliseconds look_every{250};  // at what came back without a bell, so that it counts soon
// What a trainer may ask between two looks. Seeks cost the least: some make one for each batch.
constexpr unsigned cost_of_seek = 1, cost_of_question = 20;
constexpr ipc::Courier::Manner manner{.polite = true, .limit = 1u << 20, .allowance = 5000};
constexpr unsigned rings_heard = 10'000;   // between two looks; batches of any size need less
constexpr double report_stall_after = 60;  // seconds; a checkpoint may take long, so this is told, never fatal
}  // namespace

Trainers::Trainers(const config::Config& config, const job::Topology& topology, ipc::Poller& poller,
                   const Supply& supply, Workers& workers, const Rings& rings, Actions actions)
    : config_(config),
      topology_(topology),
      poller_(poller),
      supply_(supply),
      workers_(workers),
      rings_(rings),
      actions_(std::move(actions)) {
  for (const auto& stream : config.streams)
    fingerprints_.push_back(blueprint::fingerprint_of(config, stream, supply.blueprint().catalog));
}

Trainers::~Trainers() {
  for (const auto& [id, trainer] : trainers_) {
    poller_.remove(trainer.bell.fd());
    poller_.remove(trainer.pidfd.get());
  }
}

void Trainers::rung(std::uint64_t id) {
  auto& trainer = trainers_.at(id);
  if (trainer.feed->has_returns()) workers_.post([feed = trainer.feed] { feed->pump(); });
  // Who rings without end is looked at as often as those that do not ring.
  if (++trainer.rung == rings_heard) poller_.remove(trainer.bell.fd());
}

void Trainers::look_at_all() {
  for (auto& [id, trainer] : trainers_) {
    if (trainer.feed->has_returns()) workers_.post([feed = trainer.feed] { feed->pump(); });
    if (trainer.leaving) continue;
    trainer.talk->renew();
    if (std::exchange(trainer.rung, 0) >= rings_heard) poller_.add_edge(trainer.bell.fd(), [this, id] { rung(id); });
  }
}

void Trainers::welcome(const nlohmann::json& message, std::vector<ipc::Fd> fds) {
  require(fds.size() == 2, "a trainer was handed over without its descriptors");
  const auto id = next_id_++;
  auto& trainer = trainers_[id];
  trainer.stream = message.at("stream");
  trainer.rank = message.at("rank");
  trainer.world_size = message.at("world_size");
  trainer.ring = message.at("ring");
  trainer.generation = message.at("generation");
  trainer.session = message.at("session");
  trainer.who = message.at("who");
  trainer.talk =
      std::make_unique<ipc::Courier>(poller_, ipc::Connection(std::move(fds[0])), manner, [this, id] { read(id); });
  trainer.pidfd = std::move(fds[1]);
  trainer.bell = ipc::Bell::make();

  const auto& facts = supply_.blueprint().streams[trainer.stream];
  const auto schedule = facts.schedule(trainer.world_size);
  trainer.steps = schedule.steps();
  trainer.batch_bytes = schedule.batch() * row_bytes(supply_.blueprint().schema);
  auto ledger = books::Ledger::from_json(message.at("ledger"));
  const auto at = ledger.position();
  auto& keeper = *rings_.at(trainer.stream, trainer.ring);
  keeper.lend();
  auto& ring = keeper.ring();
  ring.configure(schedule.most_rows(), 1, supply_.blueprint().slots_of(config_, trainer.stream));
  trainer.following.emplace(trainer.steps, ring.slots());
  trainer.following->loaded(message.at("loads").get<std::uint64_t>());
  for (const auto& state : message.at("resumed")) trainer.following->resumed(books::resumed_from(state), at, 0);
  trainer.feed = std::make_shared<Feed>(
      supply_, workers_, ring,
      Feed::Recipient{trainer.stream, trainer.rank, facts.name, config_.seed, config_.audit == config::Audit::full,
                  facts.order},
      schedule, std::move(ledger),
      Feed::Events{
          .epoch_done =
              [this, id](const EpochReport& done) {
                actions_.post([this, id, done] {
                  if (const auto found = trainers_.find(id); found != trainers_.end())
                    report(found->second, done, false);
                });
              },
          .violation = [this,
                        id](const std::string& what) { actions_.post([this, id, what] { throw_out(id, what); }); }});

  log::debug("stream {}: trainer {} of {} ({}) attached at epoch {}, step {}", facts.name, trainer.rank,
             trainer.world_size, trainer.who, at.epoch, at.step);
  poller_.add_edge(trainer.bell.fd(), [this, id] { rung(id); });
  poller_.add(trainer.pidfd.get(), [this, id] { leave(id, false, "its process ended"); });
  workers_.post([feed = trainer.feed] { feed->pump(); });
  try {
    fds.clear();
    fds.push_back(ring.for_trainer());
    fds.push_back(trainer.bell.duplicate().take());
    fds.push_back(ipc::open_pidfd(getpid()));
    say(id, ring::encode(welcome_for(trainer, schedule, at)), std::move(fds));
  } catch (const std::exception& error) {  // a welcome too long for any socket, no descriptors left
    throw_out(id, error.what());
  }
}

ring::Welcome Trainers::welcome_for(const Trainer& trainer, const plan::Schedule& schedule, books::Step at) const {
  const auto& blueprint = supply_.blueprint();
  const auto& facts = blueprint.streams[trainer.stream];
  const auto& ring = rings_.at(trainer.stream, trainer.ring)->ring();
  ring::Welcome welcome;
  welcome.service = config_.name;
  welcome.stream = facts.name;
  welcome.rank = trainer.rank;
  welcome.world_size = trainer.world_size;
  welcome.batches = schedule.steps();
  welcome.samples = facts.samples;
  welcome.epochs = facts.epochs;
  welcome.batch = schedule.batch();
  welcome.slots = ring.slots();
  welcome.slot_rows = ring.layout().batch();
  welcome.epoch = at.epoch;
  welcome.step = at.step;
  welcome.generation = 1;
  welcome.fields = blueprint.schema;
  welcome.fingerprint = fingerprints_[trainer.stream];
  // Runs of the file belong to trainers there: another number of them gets other runs.
  if (facts.shuffle == plan::Shuffle::none) welcome.fingerprint["trainers"] = std::to_string(trainer.world_size);
  welcome.ring_bytes = ring.bytes();
  welcome.stager = topology_.me();
  welcome.pid = getpid();
  welcome.host = topology_.here().host;
  welcome.last = config::word(facts.last);
  return welcome;
}

void Trainers::read(std::uint64_t id) {
  try {
    const auto received = trainers_.at(id).talk->receive();
    if (received.what == ipc::Receipt::closed) return leave(id, false, "it closed its connection");
    if (received.what == ipc::Receipt::message) hear(id, ring::decode_from_client(received.message.text));
  } catch (const std::exception& error) {
    throw_out(id, error.what());
  }
}

void Trainers::hear(std::uint64_t id, const ring::FromClient& said) {
  auto& trainer = trainers_.at(id);
  if (std::holds_alternative<ring::Goodbye>(said)) return leave(id, true, "goodbye");
  const auto* wanted = std::get_if<ring::Seek>(&said);
  trainer.talk->spend(wanted != nullptr ? cost_of_seek : cost_of_question);
  if (const auto* asked = std::get_if<ring::Agree>(&said)) return agree(id, trainer, *asked);
  if (std::holds_alternative<ring::AskFiles>(said)) return tell_files(id);
  require(wanted != nullptr, "it sent a message that makes no sense here");
  seek(trainer, *wanted);
}

void Trainers::say(std::uint64_t id, std::string text, std::vector<ipc::Fd> fds) {
  const auto& trainer = trainers_.at(id);
  // closed: the end of its connection will say so, after what it still said itself.
  if (trainer.talk->say(std::move(text), std::move(fds)) == ipc::Courier::Said::overfull)
    leave(id, false, "it does not read what it is told");
}

void Trainers::throw_out(std::uint64_t id, const std::string& why, ring::Refusal kind) {
  if (const auto found = trainers_.find(id); found != trainers_.end() && !found->second.leaving)
    found->second.talk->say(ring::encode(ring::Refused{kind, why}));
  leave(id, false, why);
}

void Trainers::seek(Trainer& trainer, const ring::Seek& wanted) {
  const auto& facts = supply_.blueprint().streams[trainer.stream];
  const auto steps = trainer.feed->ledger().steps();
  require(wanted.step < steps, fmt::format("seek to step {}, but an epoch of stream '{}' has {} steps (0 .. {})",
                                           wanted.step, facts.name, steps, steps - 1));
  trainer.following->seeks({wanted.epoch, wanted.step});
  report_abandoned(trainer, trainer.feed->seek(wanted.generation, {wanted.epoch, wanted.step}));
}

void Trainers::tell_files(std::uint64_t id) {
  if (!files_) files_ = table_of_files(supply_.blueprint().catalog);
  std::vector<ipc::Fd> fds;
  fds.push_back(files_.duplicate());
  say(id, ring::encode(ring::FilesTold{}), std::move(fds));
}

void Trainers::leave(std::uint64_t id, bool goodbye, const std::string& why) {
  const auto found = trainers_.find(id);
  if (found == trainers_.end() || found->second.leaving) return;
  auto& trainer = found->second;
  trainer.leaving = true;
  trainer.why = why;
  poller_.remove(trainer.bell.fd());
  poller_.remove(trainer.pidfd.get());
  trainer.talk.reset();
  if (!goodbye && !drained_)
    log::warn("stream {}: trainer {} ({}) is gone: {}; its unreleased batches wait for whoever takes its rank",
              supply_.blueprint().streams[trainer.stream].name, trainer.rank, trainer.who, why);
  trainer.feed->close([this, id, goodbye] { actions_.post([this, id, goodbye] { gone(id, goodbye); }); });
}

void Trainers::gone(std::uint64_t id, bool goodbye) {
  auto node = trainers_.extract(id);
  auto& trainer = node.mapped();
  auto ledger = trainer.feed->ledger();
  ledger.rewind();
  if (goodbye) report_abandoned(trainer, ledger.leave());
  auto& keeper = *rings_.at(trainer.stream, trainer.ring);
  const auto now = Clock::now();
  constexpr std::size_t longest_reason = 255;  // parts of it may be the trainer's own words
  keeper.back({std::move(trainer.pidfd), fmt::format("trainer {} ({})", trainer.rank, trainer.who),
               printable(trainer.why.substr(0, longest_reason)), goodbye},
              now);
  actions_.up({{"type", "left"},
               {"stream", trainer.stream},
               {"rank", trainer.rank},
               {"ring", trainer.ring},
               {"generation", trainer.generation},
               {"ledger", ledger.to_json()},
               {"goodbye", goodbye}});
  look_at_ring(trainer.stream, trainer.ring, keeper, now);
  if (trainers_.empty() && drained_) std::exchange(drained_, nullptr)();
}

void Trainers::report(const Trainer& trainer, const EpochReport& done, bool abandoned) {
  actions_.up(books::to_message({.stream = trainer.stream,
                                 .rank = trainer.rank,
                                 .world_size = trainer.world_size,
                                 .session = trainer.session,
                                 .abandoned = abandoned,
                                 .tally = done.tally,
                                 .seconds = done.seconds,
                                 .trainer_wait = done.trainer_wait,
                                 .stager_wait = done.stager_wait}));
  if (!abandoned && trainer.feed->ledger().finished())
    actions_.up(
        {{"type", "finished"}, {"stream", trainer.stream}, {"rank", trainer.rank}, {"generation", trainer.generation}});
}

void Trainers::report_abandoned(const Trainer& trainer, const std::vector<books::Tally>& tallies) {
  for (const auto& tally : tallies) report(trainer, {tally, 0, 0, 0}, true);
}

void Trainers::tick(Clock::time_point now) {
  const bool look = now >= next_look_;
  if (look) {
    next_look_ = now + look_every;
    look_at_all();
    look_for_strays();
  }
  if (!closed_) look_at_rings(now, look);
  for (auto& [id, trainer] : trainers_) {
    const auto stats = trainer.feed->ring_stats();
    trainer.pace.look(now, {static_cast<double>(stats.acquired), static_cast<double>(stats.wait_ns) / 1e9,
                            trainer.feed->stager_wait()});
    const auto idle = trainer.feed->idle_seconds();
    if (idle < report_stall_after) trainer.stall_told = false;
    if (idle >= report_stall_after && !std::exchange(trainer.stall_told, true)) {
      const auto at = trainer.feed->position();
      log::info("stream {}: trainer {} ({}) has asked for nothing for {:.0f} s (at epoch {}, step {}); waiting for it",
                supply_.blueprint().streams[trainer.stream].name, trainer.rank, trainer.who, idle, at.epoch, at.step);
    }
    if (config_.stall_timeout > 0 && idle >= config_.stall_timeout && !drained_)
      actions_.up({{"type", "stop"},
                   {"reason", fmt::format("trainer {} of stream {} ({}) asked for nothing for {:g} s (stall-timeout)",
                                          trainer.rank, supply_.blueprint().streams[trainer.stream].name, trainer.who,
                                          config_.stall_timeout)}});
  }
}

void Trainers::farewell(const std::string& why) {
  for (const auto& [id, trainer] : trainers_)
    if (!trainer.leaving) trainer.talk->say(ring::encode(ring::Dying{why}));
}

void Trainers::close(const std::string& why, std::function<void()> drained) {
  farewell(why);
  closed_ = true;
  drained_ = std::move(drained);
  std::vector<std::uint64_t> ids;
  for (const auto& [id, trainer] : trainers_) ids.push_back(id);
  for (const auto id : ids) leave(id, false, why);
  if (trainers_.empty()) std::exchange(drained_, nullptr)();
}

nlohmann::json Trainers::stat() const {
  auto all = nlohmann::json::array();
  for (const auto& [id, trainer] : trainers_) {
    const auto at = trainer.feed->position();
    const auto stats = trainer.feed->ring_stats();
    all.push_back({{"stream", supply_.blueprint().streams[trainer.stream].name},
                   {"rank", trainer.rank},
                   {"world_size", trainer.world_size},
                   {"who", trainer.who},
                   {"stager", topology_.me()},
                   {"host", topology_.here().host},
                   {"epoch", at.epoch},
                   {"step", at.step},
                   {"steps", trainer.steps},
                   {"batches", stats.acquired},
                   {"bytes", stats.acquired * trainer.batch_bytes},
                   {"ready", stats.ready},
                   {"waiting", stats.waiting},
                   {"trainer_wait_s", static_cast<double>(stats.wait_ns) / 1e9},
                   {"stager_wait_s", trainer.feed->stager_wait()},
                   // Of the last seconds: what was taken, and the parts of the time spent waiting.
                   {"gbps", trainer.pace.per_second(0) * static_cast<double>(trainer.batch_bytes) / 1e9},
                   {"trainer_wait", trainer.pace.per_second(1)},
                   {"stager_wait", trainer.pace.per_second(2)}});
  }
  return all;
}

}  // namespace headrace::service::delivery
