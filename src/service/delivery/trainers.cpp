#include "service/guests.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "log/log.hpp"
#include "service/messages.hpp"
#include "service/provenance.hpp"

namespace headrace::service {

namespace {
constexpr std::chrono::milliseconds look_every{250};  // at what came back without a bell, so that it counts soon
// What a trainer may ask between two looks. Seeks cost the least: some make one for each batch.
constexpr unsigned cost_of_seek = 1, cost_of_question = 20;
constexpr ipc::Courier::Manner manner{.polite = true, .limit = 1u << 20, .allowance = 5000};
constexpr unsigned rings_heard = 10'000;   // between two looks; batches of any size need less
constexpr double report_stall_after = 60;  // seconds; a checkpoint may take long, so this is told, never fatal
}  // namespace

Guests::Guests(const Config& config, const Topology& topology, ipc::Poller& poller, const Supply& supply,
               Workers& workers, const Rings& rings, Actions actions)
    : config_(config),
      topology_(topology),
      poller_(poller),
      supply_(supply),
      workers_(workers),
      rings_(rings),
      actions_(std::move(actions)) {
  for (const auto& stream : config.streams)
    fingerprints_.push_back(fingerprint_of(config, stream, supply.blueprint().catalog));
}

Guests::~Guests() {
  for (const auto& [id, guest] : guests_) {
    poller_.remove(guest.bell.fd());
    poller_.remove(guest.pidfd.get());
  }
}

void Guests::rung(std::uint64_t id) {
  auto& guest = guests_.at(id);
  if (guest.feed->has_returns()) workers_.post([feed = guest.feed] { feed->pump(); });
  // Who rings without end is looked at as often as those that do not ring.
  if (++guest.rung == rings_heard) poller_.remove(guest.bell.fd());
}

void Guests::look_at_all() {
  for (auto& [id, guest] : guests_) {
    if (guest.feed->has_returns()) workers_.post([feed = guest.feed] { feed->pump(); });
    if (guest.leaving) continue;
    guest.talk->renew();
    if (std::exchange(guest.rung, 0) >= rings_heard) poller_.add_edge(guest.bell.fd(), [this, id] { rung(id); });
  }
}

void Guests::welcome(const nlohmann::json& message, std::vector<ipc::Fd> fds) {
  require(fds.size() == 2, "a trainer was handed over without its descriptors");
  const auto id = next_id_++;
  auto& guest = guests_[id];
  guest.stream = message.at("stream");
  guest.rank = message.at("rank");
  guest.world_size = message.at("world_size");
  guest.ring = message.at("ring");
  guest.generation = message.at("generation");
  guest.session = message.at("session");
  guest.who = message.at("who");
  guest.talk =
      std::make_unique<ipc::Courier>(poller_, ipc::Connection(std::move(fds[0])), manner, [this, id] { read(id); });
  guest.pidfd = std::move(fds[1]);
  guest.bell = ipc::Bell::make();

  const auto& facts = supply_.blueprint().streams[guest.stream];
  const auto schedule = facts.schedule(guest.world_size);
  guest.steps = schedule.steps();
  guest.batch_bytes = schedule.batch() * row_bytes(supply_.blueprint().schema);
  auto ledger = Ledger::from_json(message.at("ledger"));
  const auto at = ledger.position();
  auto& keeper = *rings_.at(guest.stream, guest.ring);
  keeper.lend();
  auto& ring = keeper.ring();
  ring.configure(schedule.most_rows(), 1, supply_.blueprint().slots_of(config_, guest.stream));
  guest.following.emplace(guest.steps, ring.slots());
  guest.following->loaded(message.at("loads").get<std::uint64_t>());
  for (const auto& state : message.at("resumed")) guest.following->resumed(resumed_from(state), at, 0);
  guest.feed = std::make_shared<Feed>(
      supply_, workers_, ring,
      Feed::Place{guest.stream, guest.rank, facts.name, config_.seed, config_.audit == Audit::full, facts.order},
      schedule, std::move(ledger),
      Feed::Events{
          .epoch_done =
              [this, id](const EpochReport& done) {
                actions_.post([this, id, done] {
                  if (const auto found = guests_.find(id); found != guests_.end()) report(found->second, done, false);
                });
              },
          .violation = [this,
                        id](const std::string& what) { actions_.post([this, id, what] { throw_out(id, what); }); }});

  log::debug("stream {}: trainer {} of {} ({}) attached at epoch {}, step {}", facts.name, guest.rank, guest.world_size,
             guest.who, at.epoch, at.step);
  poller_.add_edge(guest.bell.fd(), [this, id] { rung(id); });
  poller_.add(guest.pidfd.get(), [this, id] { leave(id, false, "its process ended"); });
  workers_.post([feed = guest.feed] { feed->pump(); });
  try {
    fds.clear();
    fds.push_back(ring.for_trainer());
    fds.push_back(guest.bell.duplicate().take());
    fds.push_back(ipc::open_pidfd(getpid()));
    say(id, ring::encode(welcome_for(guest, schedule, at)), std::move(fds));
  } catch (const std::exception& error) {  // a welcome too long for any socket, no descriptors left
    throw_out(id, error.what());
  }
}

ring::Welcome Guests::welcome_for(const Guest& guest, const plan::Schedule& schedule, Step at) const {
  const auto& blueprint = supply_.blueprint();
  const auto& facts = blueprint.streams[guest.stream];
  const auto& ring = rings_.at(guest.stream, guest.ring)->ring();
  ring::Welcome welcome;
  welcome.service = config_.name;
  welcome.stream = facts.name;
  welcome.rank = guest.rank;
  welcome.world_size = guest.world_size;
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
  welcome.fingerprint = fingerprints_[guest.stream];
  // Runs of the file belong to trainers there: another number of them gets other runs.
  if (facts.shuffle == plan::Shuffle::none) welcome.fingerprint["trainers"] = std::to_string(guest.world_size);
  welcome.ring_bytes = ring.bytes();
  welcome.stager = topology_.me();
  welcome.pid = getpid();
  welcome.host = topology_.here().host;
  return welcome;
}

void Guests::read(std::uint64_t id) {
  try {
    const auto received = guests_.at(id).talk->receive();
    if (received.what == ipc::Receipt::closed) return leave(id, false, "it closed its connection");
    if (received.what == ipc::Receipt::message) hear(id, ring::decode_from_client(received.message.text));
  } catch (const std::exception& error) {
    throw_out(id, error.what());
  }
}

void Guests::hear(std::uint64_t id, const ring::FromClient& said) {
  auto& guest = guests_.at(id);
  if (std::holds_alternative<ring::Goodbye>(said)) return leave(id, true, "goodbye");
  const auto* wanted = std::get_if<ring::Seek>(&said);
  guest.talk->spend(wanted != nullptr ? cost_of_seek : cost_of_question);
  if (const auto* asked = std::get_if<ring::Agree>(&said)) return agree(id, guest, *asked);
  if (std::holds_alternative<ring::AskFiles>(said)) return tell_files(id);
  require(wanted != nullptr, "it sent a message that makes no sense here");
  seek(guest, *wanted);
}

void Guests::say(std::uint64_t id, std::string text, std::vector<ipc::Fd> fds) {
  const auto& guest = guests_.at(id);
  // closed: the end of its connection will say so, after what it still said itself.
  if (guest.talk->say(std::move(text), std::move(fds)) == ipc::Courier::Said::overfull)
    leave(id, false, "it does not read what it is told");
}

void Guests::throw_out(std::uint64_t id, const std::string& why, ring::Refusal kind) {
  if (const auto found = guests_.find(id); found != guests_.end() && !found->second.leaving)
    found->second.talk->say(ring::encode(ring::Refused{kind, why}));
  leave(id, false, why);
}

void Guests::seek(Guest& guest, const ring::Seek& wanted) {
  const auto& facts = supply_.blueprint().streams[guest.stream];
  const auto steps = guest.feed->ledger().steps();
  require(wanted.step < steps, fmt::format("seek to step {}, but an epoch of stream '{}' has {} steps (0 .. {})",
                                           wanted.step, facts.name, steps, steps - 1));
  guest.following->seeks({wanted.epoch, wanted.step});
  report_abandoned(guest, guest.feed->seek(wanted.generation, {wanted.epoch, wanted.step}));
}

void Guests::tell_files(std::uint64_t id) {
  if (!files_) files_ = table_of_files(supply_.blueprint().catalog);
  std::vector<ipc::Fd> fds;
  fds.push_back(files_.duplicate());
  say(id, ring::encode(ring::FilesTold{}), std::move(fds));
}

void Guests::leave(std::uint64_t id, bool goodbye, const std::string& why) {
  const auto found = guests_.find(id);
  if (found == guests_.end() || found->second.leaving) return;
  auto& guest = found->second;
  guest.leaving = true;
  guest.why = why;
  poller_.remove(guest.bell.fd());
  poller_.remove(guest.pidfd.get());
  guest.talk.reset();
  if (!goodbye && !drained_)
    log::warn("stream {}: trainer {} ({}) is gone: {}; its unreleased batches wait for whoever takes its rank",
              supply_.blueprint().streams[guest.stream].name, guest.rank, guest.who, why);
  guest.feed->close([this, id, goodbye] { actions_.post([this, id, goodbye] { gone(id, goodbye); }); });
}

void Guests::gone(std::uint64_t id, bool goodbye) {
  auto node = guests_.extract(id);
  auto& guest = node.mapped();
  auto ledger = guest.feed->ledger();
  ledger.rewind();
  if (goodbye) report_abandoned(guest, ledger.leave());
  auto& keeper = *rings_.at(guest.stream, guest.ring);
  const auto now = Clock::now();
  constexpr std::size_t longest_reason = 255;  // parts of it may be the trainer's own words
  keeper.back({std::move(guest.pidfd), fmt::format("trainer {} ({})", guest.rank, guest.who),
               printable(guest.why.substr(0, longest_reason)), goodbye},
              now);
  actions_.up({{"type", "left"},
               {"stream", guest.stream},
               {"rank", guest.rank},
               {"ring", guest.ring},
               {"generation", guest.generation},
               {"ledger", ledger.to_json()},
               {"goodbye", goodbye}});
  look_at_ring(guest.stream, guest.ring, keeper, now);
  if (guests_.empty() && drained_) std::exchange(drained_, nullptr)();
}

void Guests::report(const Guest& guest, const EpochReport& done, bool abandoned) {
  actions_.up(to_message({.stream = guest.stream,
                          .rank = guest.rank,
                          .world_size = guest.world_size,
                          .session = guest.session,
                          .abandoned = abandoned,
                          .tally = done.tally,
                          .seconds = done.seconds,
                          .trainer_wait = done.trainer_wait,
                          .stager_wait = done.stager_wait}));
  if (!abandoned && guest.feed->ledger().finished())
    actions_.up(
        {{"type", "finished"}, {"stream", guest.stream}, {"rank", guest.rank}, {"generation", guest.generation}});
}

void Guests::report_abandoned(const Guest& guest, const std::vector<Tally>& tallies) {
  for (const auto& tally : tallies) report(guest, {tally, 0, 0, 0}, true);
}

void Guests::tick(Clock::time_point now) {
  const bool look = now >= next_look_;
  if (look) {
    next_look_ = now + look_every;
    look_at_all();
    look_for_strays();
  }
  if (!closed_) look_at_rings(now, look);
  for (auto& [id, guest] : guests_) {
    const auto stats = guest.feed->ring_stats();
    guest.pace.look(now, {static_cast<double>(stats.acquired), static_cast<double>(stats.wait_ns) / 1e9,
                          guest.feed->stager_wait()});
    const auto idle = guest.feed->idle_seconds();
    if (idle < report_stall_after) guest.stall_told = false;
    if (idle >= report_stall_after && !std::exchange(guest.stall_told, true)) {
      const auto at = guest.feed->position();
      log::info("stream {}: trainer {} ({}) has asked for nothing for {:.0f} s (at epoch {}, step {}); waiting for it",
                supply_.blueprint().streams[guest.stream].name, guest.rank, guest.who, idle, at.epoch, at.step);
    }
    if (config_.stall_timeout > 0 && idle >= config_.stall_timeout && !drained_)
      actions_.up({{"type", "stop"},
                   {"reason",
                    fmt::format("trainer {} of stream {} ({}) asked for nothing for {:g} s (stall-timeout)", guest.rank,
                                supply_.blueprint().streams[guest.stream].name, guest.who, config_.stall_timeout)}});
  }
}

void Guests::farewell(const std::string& why) {
  for (const auto& [id, guest] : guests_)
    if (!guest.leaving) guest.talk->say(ring::encode(ring::Dying{why}));
}

void Guests::close(const std::string& why, std::function<void()> drained) {
  farewell(why);
  closed_ = true;
  drained_ = std::move(drained);
  std::vector<std::uint64_t> ids;
  for (const auto& [id, guest] : guests_) ids.push_back(id);
  for (const auto id : ids) leave(id, false, why);
  if (guests_.empty()) std::exchange(drained_, nullptr)();
}

nlohmann::json Guests::stat() const {
  auto all = nlohmann::json::array();
  for (const auto& [id, guest] : guests_) {
    const auto at = guest.feed->position();
    const auto stats = guest.feed->ring_stats();
    all.push_back({{"stream", supply_.blueprint().streams[guest.stream].name},
                   {"rank", guest.rank},
                   {"world_size", guest.world_size},
                   {"who", guest.who},
                   {"stager", topology_.me()},
                   {"host", topology_.here().host},
                   {"epoch", at.epoch},
                   {"step", at.step},
                   {"steps", guest.steps},
                   {"batches", stats.acquired},
                   {"bytes", stats.acquired * guest.batch_bytes},
                   {"ready", stats.ready},
                   {"waiting", stats.waiting},
                   {"trainer_wait_s", static_cast<double>(stats.wait_ns) / 1e9},
                   {"stager_wait_s", guest.feed->stager_wait()},
                   // Of the last seconds: what was taken, and the parts of the time spent waiting.
                   {"gbps", guest.pace.per_second(0) * static_cast<double>(guest.batch_bytes) / 1e9},
                   {"trainer_wait", guest.pace.per_second(1)},
                   {"stager_wait", guest.pace.per_second(2)}});
  }
  return all;
}

}  // namespace headrace::service
