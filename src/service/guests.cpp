#include "service/guests.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "base/error.hpp"
#include "log/log.hpp"
#include "service/messages.hpp"
#include "service/provenance.hpp"

namespace headrace::service {

namespace {
constexpr std::chrono::milliseconds look_every{250};  // at what came back without a bell, so that it counts soon
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
      actions_(std::move(actions)),
      bell_(ipc::Bell::make()) {
  for (const auto& stream : config.streams)
    fingerprints_.push_back(fingerprint_of(config, stream, supply.blueprint().catalog));
  poller_.add(bell_.fd(), [this] {
    bell_.drain();
    pump();
  });
}

Guests::~Guests() {
  poller_.remove(bell_.fd());
  for (const auto& [id, guest] : guests_) {
    poller_.remove(guest.connection.fd());
    poller_.remove(guest.pidfd.get());
  }
}

void Guests::pump() {
  for (const auto& [id, guest] : guests_)
    if (guest.feed->has_returns()) workers_.post([feed = guest.feed] { feed->pump(); });
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
  guest.connection = ipc::Connection(std::move(fds[0]));
  guest.pidfd = std::move(fds[1]);

  const auto& facts = supply_.blueprint().streams[guest.stream];
  const auto schedule = facts.schedule(guest.world_size);
  guest.steps = schedule.steps();
  guest.batch_bytes = schedule.batch() * row_bytes(supply_.blueprint().schema);
  auto ledger = Ledger::from_json(message.at("ledger"));
  const auto at = ledger.position();
  auto& ring = *rings_.at(guest.stream, guest.ring);
  ring.configure(schedule.batch(), 1, supply_.blueprint().slots_of(config_, guest.stream));
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

  const std::array descriptors{ring.fd().get(), bell_.fd(), ipc::open_pidfd(getpid()).release()};
  const auto sent = guest.connection.send(ring::encode(welcome_for(guest, schedule, at)), descriptors, send_limit);
  ::close(descriptors[2]);
  if (sent != ipc::Sent::sent) return leave(id, false, "it was gone before it was let in");
  log::debug("stream {}: trainer {} of {} ({}) attached at epoch {}, step {}", facts.name, guest.rank, guest.world_size,
             guest.who, at.epoch, at.step);
  poller_.add(guest.connection.fd(), [this, id] { read(id); });
  poller_.add(guest.pidfd.get(), [this, id] { leave(id, false, "its process ended"); });
  workers_.post([feed = guest.feed] { feed->pump(); });
}

ring::Welcome Guests::welcome_for(const Guest& guest, const plan::Schedule& schedule, Step at) const {
  const auto& blueprint = supply_.blueprint();
  const auto& facts = blueprint.streams[guest.stream];
  const auto& ring = *rings_.at(guest.stream, guest.ring);
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
  auto& guest = guests_.at(id);
  try {
    const auto received = guest.connection.receive();
    if (received.what == ipc::Receipt::closed) return leave(id, false, "it closed its connection");
    if (received.what != ipc::Receipt::message) return;
    const auto said = ring::decode_from_client(received.message.text);
    if (std::holds_alternative<ring::Goodbye>(said)) return leave(id, true, "goodbye");
    if (const auto* asked = std::get_if<ring::Agree>(&said)) return agree(id, guest, *asked);
    if (std::holds_alternative<ring::AskFiles>(said)) return tell_files(guest);
    const auto* wanted = std::get_if<ring::Seek>(&said);
    require(wanted != nullptr, "it sent a message that makes no sense here");
    seek(guest, *wanted);
  } catch (const std::exception& error) {
    throw_out(id, error.what());
  }
}

void Guests::throw_out(std::uint64_t id, const std::string& why, ring::Refusal kind) {
  if (const auto found = guests_.find(id); found != guests_.end() && !found->second.leaving)
    found->second.connection.send(ring::encode(ring::Refused{kind, why}));
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

void Guests::tell_files(const Guest& guest) {
  if (!files_) files_ = table_of_files(supply_.blueprint().catalog);
  const std::array descriptors{files_.get()};
  guest.connection.send(ring::encode(ring::FilesTold{}), descriptors, send_limit);
}

void Guests::leave(std::uint64_t id, bool goodbye, const std::string& why) {
  const auto found = guests_.find(id);
  if (found == guests_.end() || found->second.leaving) return;
  auto& guest = found->second;
  guest.leaving = true;
  poller_.remove(guest.connection.fd());
  poller_.remove(guest.pidfd.get());
  guest.connection.close();
  if (!goodbye && !drained_)
    log::warn("stream {}: trainer {} ({}) is gone: {}; its unreleased batches wait for whoever takes its rank",
              supply_.blueprint().streams[guest.stream].name, guest.rank, guest.who, why);
  guest.feed->close([this, id, goodbye] { actions_.post([this, id, goodbye] { gone(id, goodbye); }); });
}

void Guests::gone(std::uint64_t id, bool goodbye) {
  const auto node = guests_.extract(id);
  const auto& guest = node.mapped();
  auto ledger = guest.feed->ledger();
  ledger.rewind();
  if (goodbye) report_abandoned(guest, ledger.leave());
  rings_.at(guest.stream, guest.ring)->reclaim_all();
  actions_.up({{"type", "left"},
               {"stream", guest.stream},
               {"rank", guest.rank},
               {"ring", guest.ring},
               {"generation", guest.generation},
               {"ledger", ledger.to_json()},
               {"goodbye", goodbye}});
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
  if (now >= next_look_) {
    next_look_ = now + look_every;
    pump();
    look_for_strays();
  }
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
    if (!guest.leaving) guest.connection.send(ring::encode(ring::Dying{why}));
}

void Guests::close(const std::string& why, std::function<void()> drained) {
  farewell(why);
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
