#include "service/host/front_desk.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "ipc/process.hpp"
#include "log/log.hpp"
#include "ring/producer.hpp"

namespace headrace::service::host {

namespace {
constexpr std::chrono::milliseconds tell_every{500};
constexpr std::chrono::milliseconds renew_every{250};
// An answer to `stat` of thousands of trainers is a few MB. Tools ask ten times a second at most.
constexpr ipc::Courier::Manner manner{.polite = true, .limit = 64u << 20, .allowance = 100};
// A goodbye is still being worked on when its trainer, or the next in its place, connects again.
constexpr std::chrono::milliseconds try_again_every{100};
constexpr std::chrono::seconds patience_with_readers{60};
// With who has connected and wants nothing, where others have no room. The trainers' library and tools speak at once.
constexpr std::chrono::milliseconds patience_with_the_silent{3000};

/// A trainer in messages and in the log. What it says of its host is its own word, and longer than a name only to do
/// harm.
std::string who(const ring::Hello& hello) {
  constexpr std::size_t longest_name = 64;  // HOST_NAME_MAX; many of these fit one message
  return fmt::format("process {} on {}", hello.pid, printable(hello.host.substr(0, longest_name)));
}

}  // namespace

std::string service_address(const config::Config& config, std::uint32_t node) {
  const auto& base = config.address();
  return config.split_nodes && node > 0 ? fmt::format("{}.{}", base, node) : base;
}

std::string meeting_place(const config::Config& config, std::size_t nodes) {
  auto text = fmt::format("trainers connect to '{}'", service_address(config, 0));
  if (config.split_nodes && nodes > 1)
    text += fmt::format(" .. '{}'", service_address(config, static_cast<std::uint32_t>(nodes - 1)));
  text += config.socket.empty() ? fmt::format(" (abstract socket headrace/{}/{})", geteuid(), config.name)
                                : std::string(" (a socket in the file system)");
  return text + fmt::format(", up to {} on each node", config.trainers_per_node);
}

FrontDesk::FrontDesk(const config::Config& config, const Seat& seat, ipc::Poller& poller, Actions actions,
                     std::string word)
    : config_(config),
      seat_(seat),
      poller_(poller),
      actions_(std::move(actions)),
      word_(std::move(word)),
      door_(service_address(config, seat.my_node), poller,
            {.count = [this] { return callers_.size(); },
             .make_room = [this](Clock::time_point now) { drop_the_silent(now); },
             .enter = [this](ipc::Connection connection) { enter(std::move(connection)); }}) {}

void FrontDesk::enter(ipc::Connection connection) {
  const auto id = next_id_++;
  auto talk = std::make_unique<ipc::Courier>(poller_, std::move(connection), manner, [this, id] { read(id); });
  const auto& kept = *(callers_[id].talk = std::move(talk));
  try {
    ipc::require_same_user(kept.connection(), "whoever connected");
  } catch (const Error& error) {
    refuse(id, error.what());
  }
}

void FrontDesk::drop_the_silent(Clock::time_point now) {
  std::erase_if(callers_, [&](const auto& entry) {
    const auto& caller = entry.second;
    return !caller.asked && now - caller.came > patience_with_the_silent;
  });
}

void FrontDesk::read(std::uint64_t id) {
  auto& caller = callers_.at(id);
  // What it says meanwhile is for the stager that will serve it; a tool is heard when it has its answer.
  const bool busy = caller.owed || caller.state == State::claimed || caller.state == State::preparing;
  if (busy && caller.talk->hung_up()) return drop(id);
  if (busy) return;
  try {
    const auto received = caller.talk->receive();
    if (received.what == ipc::Receipt::closed) return drop(id);
    if (received.what != ipc::Receipt::message) return;
    caller.talk->spend(1);
    greet(id, received.message);
  } catch (const ring::VersionMismatch& error) {
    refuse(id, error.what(), ring::Refusal::version);
  } catch (const std::exception& error) {
    // Garbage, or a claim that makes no sense: whoever sent it is told, and nobody else notices.
    refuse(id, error.what());
  }
}

void FrontDesk::greet(std::uint64_t id, const ipc::Message& message) {
  auto& caller = callers_.at(id);
  const auto said = ring::decode_from_client(message.text);
  if (const auto* command_said = std::get_if<ring::Command>(&said)) {
    require(caller.state == State::tool, "a command came before a hello");
    caller.asked = true;
    return command(id, *command_said);
  }
  const auto* hello = std::get_if<ring::Hello>(&said);
  require(hello && caller.state == State::connected, "a message came that makes no sense before the welcome");
  caller.hello = *hello;
  if (hello->role == ring::Role::control) {
    caller.state = State::tool;
    return;
  }
  if (!closed_.empty()) return refuse(id, closed_, ring::Refusal::failed);
  require(message.fds.size() == 1,
          "the hello carries no descriptor of the trainer's process; use the same version of "
          "the trainers' library as the service");
  const auto pid = ipc::pid_of_pidfd(message.fds.front());
  const auto peer = caller.talk->connection().peer().pid;
  require(pid && (*pid == 0 || peer == 0 || *pid == peer), "the hello carries a descriptor of another process");
  caller.pidfd = message.fds.front().duplicate();
  caller.state = State::waiting;
  caller.asked = true;
  if (blueprint_) return claim(id);
  say(id, ring::encode(progress_));
}

std::uint32_t FrontDesk::stream_number(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& stream : blueprint_->streams) names.push_back(stream.name);
  if (name.empty()) {
    require(names.size() == 1, "the service has several streams; say which (available: " +
                                   fmt::format("{}", fmt::join(names, ", ")) + ")");
    return 0;
  }
  const auto found = std::find(names.begin(), names.end(), name);
  require(found != names.end(), "there is no stream '" + name + "'" + did_you_mean(name, names));
  return static_cast<std::uint32_t>(found - names.begin());
}

void FrontDesk::claim(std::uint64_t id) {
  auto& caller = callers_.at(id);
  const auto& hello = caller.hello;
  caller.stream = stream_number(hello.stream);
  require(hello.rank < hello.world_size,
          fmt::format("rank {} is not below the world size {}", hello.rank, hello.world_size));
  // A ring was sized for the trainers that the configuration expects; fewer of them may ask for larger batches.
  const auto rows = blueprint_->streams[caller.stream].schedule(hello.world_size).most_rows();
  require(ring::Producer::ring_bytes(blueprint_->schema, rows, 1) <= blueprint_->ring_bytes(config_, caller.stream),
          fmt::format("a batch of {} rows for {} trainers does not fit the rings, which were made for {} trainers; "
                      "restart the service with that number of trainers, or with more slots",
                      rows, hello.world_size, blueprint_->trainers));
  require_windows_for(caller.stream, hello.world_size);
  if (joins(id)) return;
  const auto place = places_->take(caller.stream, hello.local_rank);
  caller.talk->pause();
  caller.ring.reset();
  // Without a ring the claim is made all the same: if the rank itself is taken, that is what the trainer must know.
  if (!place.taken) return send_claim(id, place.no_room);
  caller.ring = place.taken->place;
  if (blueprint_->streams[caller.stream].replicas > 1)
    groups_.begin(caller.stream, *caller.ring, hello.rank, hello.world_size);
  if (!place.taken->make) return send_claim(id, "");
  caller.state = State::preparing;
  actions_.make_ring(*caller.ring % seat_.here().stagers, {caller.stream, *caller.ring});
}

void FrontDesk::send_claim(std::uint64_t id, const std::string& no_room) {
  auto& caller = callers_.at(id);
  caller.state = State::claimed;
  actions_.claim({id,
                  seat_.my_node,
                  {.stream = caller.stream,
                   .rank = caller.hello.rank,
                   .world_size = caller.hello.world_size,
                   .who = who(caller.hello),
                   .no_room = no_room}});
}

void FrontDesk::hear(const books::RingMade& message) {
  const auto& [stream, ring, error] = message;
  places_->made(stream, ring, error.empty());
  const auto found = std::ranges::find_if(callers_, [&message](const auto& entry) {
    const auto& caller = entry.second;
    return caller.state == State::preparing && caller.stream == message.stream && caller.ring == message.ring;
  });
  ENSURES(found != callers_.end());  // a caller stays while its ring is made
  auto& [id, caller] = *found;
  if (error.empty() && !caller.gone() && closed_.empty()) return send_claim(id, "");
  if (error.empty()) places_->give_back(stream, ring);
  groups_.over(stream, ring);
  caller.state = State::connected;
  if (caller.gone())
    callers_.erase(found);
  else
    refuse(id, closed_.empty() ? error : closed_, closed_.empty() ? ring::Refusal::refused : ring::Refusal::failed);
}

FrontDesk::Caller& FrontDesk::claimed(std::uint64_t id) {
  const auto found = callers_.find(id);
  ENSURES(found != callers_.end());  // a claimed caller stays until it is answered
  return found->second;
}

void FrontDesk::hear(const books::ClaimRefused& message) {
  auto& caller = claimed(message.id);
  if (caller.ring) {
    places_->give_back(caller.stream, *caller.ring);
    groups_.over(caller.stream, *caller.ring);
  }
  if (message.taken && waits_for_holder(caller)) {
    caller.state = State::waiting;
    caller.talk->resume();
    return;
  }
  caller.state = State::connected;  // it is answered, and may go
  if (caller.gone()) {
    callers_.erase(message.id);
    return;
  }
  // At the end nobody is let in, whatever it claims: those that wait beside it are told that the service is lost.
  if (!closed_.empty()) return refuse(message.id, message.text, ring::Refusal::failed);
  const bool shared = blueprint_->streams[caller.stream].replicas > 1;
  refuse(message.id, message.text + (shared ? " (the replicas of a rank must be processes of one node)" : ""));
}

void FrontDesk::hear(const books::Granted& message) {
  auto& caller = claimed(message.id);
  ENSURES(caller.ring.has_value());
  if (blueprint_->streams[caller.stream].replicas > 1) groups_.formed(caller.stream, *caller.ring);
  hand_over(message.id, {.stream = caller.stream, .ring = *caller.ring, .grant = message.grant});
}

void FrontDesk::hand_over(std::uint64_t id, books::HandOver trainer) {
  auto& caller = callers_.at(id);
  trainer.rank = caller.hello.rank;
  trainer.world_size = caller.hello.world_size;
  trainer.replica = caller.hello.replica;
  trainer.who = who(caller.hello);
  if (blueprint_->streams[trainer.stream].replicas > 1)
    groups_.came(trainer.stream, trainer.ring, trainer.replica, trainer.who);
  std::vector<ipc::Fd> fds;
  fds.push_back(caller.gone() ? std::move(caller.socket) : caller.talk->take());
  fds.push_back(std::move(caller.pidfd));
  callers_.erase(id);
  const auto local = trainer.ring % seat_.here().stagers;
  actions_.hand_over(local, std::move(trainer), std::move(fds));
}

void FrontDesk::hear(const books::RingRetired& message) {
  places_->retired(message.stream, message.ring, {message.bytes, message.text});
}

void FrontDesk::hear(const books::RingLeft& message) {
  ring_freed_ = places_->left(message.stream, message.ring, message.state) || ring_freed_;
  groups_.over(message.stream, message.ring);
}

void FrontDesk::loading(const std::string& what, double fraction) {
  progress_ = {what, fraction};
}

void FrontDesk::open(const blueprint::Blueprint& blueprint, const blueprint::Need& need) {
  blueprint_ = &blueprint;
  delivery::Places::Setup setup{.streams = {},
                                .ring_bytes = {},
                                .per_stream = config_.trainers_per_node,
                                .host = seat_.here().host,
                                .available = [] { return blueprint::available_memory(); }};
  for (std::uint32_t s = 0; s < blueprint.streams.size(); ++s) {
    setup.streams.push_back(blueprint.streams[s].name);
    setup.ring_bytes.push_back(blueprint.ring_bytes(config_, s));
  }
  if (config_.memory > 0) setup.more = config_.memory - std::min(config_.memory, need.total());
  places_.emplace(std::move(setup));
  claim_waiting();
}

void FrontDesk::claim_waiting() {
  std::vector<std::uint64_t> waiting;
  for (const auto& [id, caller] : callers_)
    if (caller.state == State::waiting) waiting.push_back(id);
  for (const auto id : waiting) try {
      claim(id);
    } catch (const Error& error) {
      refuse(id, error.what());
    }
}

void FrontDesk::tick(Clock::time_point now) {
  door_.tick(now);
  if (now - renewed_ >= renew_every) {
    renewed_ = now;
    look_at_tools(now);
  }
  if (blueprint_) {
    // Not when a ring is heard of: the coordinator must hear first that the trainer left.
    if (!std::exchange(ring_freed_, false) && now - tried_ < try_again_every) return;
    tried_ = now;
    return claim_waiting();
  }
  if (now - told_ < tell_every) return;
  told_ = now;
  for (const auto& [id, caller] : callers_)
    // Whoever has not read the last word needs no newer one.
    if (caller.state == State::waiting && caller.talk->kept() == 0) caller.talk->say(ring::encode(progress_));
}

void FrontDesk::refuse(std::uint64_t id, const std::string& text, ring::Refusal kind) {
  const auto found = callers_.find(id);
  if (found == callers_.end()) return;
  if (!found->second.gone()) found->second.talk->say(ring::encode(ring::Refused{kind, text}));
  drop(id);
}

void FrontDesk::drop(std::uint64_t id) {
  const auto found = callers_.find(id);
  if (found == callers_.end()) return;
  auto& caller = found->second;
  // A claim under way ends with its answer: the trainer's connection is closed by then, and its stager sees that.
  if (caller.state == State::claimed || caller.state == State::preparing) {
    if (!caller.gone()) caller.socket = caller.talk->take();
    caller.talk.reset();
    return;
  }
  callers_.erase(found);
}

// ---- tools: what they ask, and how they are answered without waiting for them --------------------------------------

void FrontDesk::look_at_tools(Clock::time_point now) {
  std::vector<std::uint64_t> deaf;
  for (const auto& [id, caller] : callers_) {
    if (caller.gone()) continue;
    caller.talk->renew();
    if (caller.talk->kept() > 0 && now - caller.talk->kept_since() > patience_with_readers) deaf.push_back(id);
  }
  for (const auto id : deaf) {
    log::warn("process {} asked, and has not read its answer for {} s: its connection is closed",
              callers_.at(id).talk->connection().peer().pid, patience_with_readers.count());
    drop(id);
  }
}

void FrontDesk::command(std::uint64_t id, const ring::Command& said) {
  const auto& name = said.name;
  if (name == "wait") {
    nlohmann::json state{{"ready", blueprint_ != nullptr && closed_.empty()},
                         {"what", progress_.what},
                         {"fraction", progress_.fraction}};
    if (!closed_.empty()) state["ended"] = closed_;
    say(id, state.dump());
  } else if (name == "stat") {
    auto& caller = callers_.at(id);
    caller.owed = true;
    caller.talk->pause();
    actions_.stat(id);
  } else if (name == "stop") {
    if (!said.word.empty() && said.word != word_)
      return refuse(id, "the service '" + config_.name + "' is another one than was to be stopped, and goes on");
    callers_.at(id).stops = true;
    say(id, nlohmann::json{{"stopping", true}}.dump());
    if (closed_.empty()) actions_.stop("headrace stop");
  } else {
    throw Error("unknown command '" + name + "'" + did_you_mean(name, {"stat", "stop", "wait"}));
  }
}

void FrontDesk::say(std::uint64_t id, std::string text) {
  const auto& caller = callers_.at(id);
  // closed: the end of its connection will say so.
  if (caller.gone() || caller.talk->say(std::move(text)) != ipc::Courier::Said::overfull) return;
  log::warn("process {} asks, and does not read its answers: its connection is closed",
            caller.talk->connection().peer().pid);
  drop(id);
}

void FrontDesk::tell(std::uint64_t tool, const std::string& text, bool last) {
  const auto found = callers_.find(tool);
  if (found == callers_.end() || found->second.gone()) return;
  if (last) {
    found->second.owed = false;
    found->second.talk->resume();
  }
  say(tool, text);
}

}  // namespace headrace::service::host
