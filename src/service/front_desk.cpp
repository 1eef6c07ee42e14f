#include "service/front_desk.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/file_limit.hpp"
#include "base/printable.hpp"
#include "ipc/process.hpp"
#include "log/log.hpp"
#include "ring/producer.hpp"

namespace headrace::service {

namespace {
constexpr std::chrono::milliseconds tell_every{500};
constexpr std::chrono::milliseconds send_limit{100};
// A goodbye is still being worked on when its trainer, or the next in its place, connects again.
constexpr std::chrono::milliseconds try_again_every{100};
constexpr std::chrono::minutes tell_pause_every{1};
constexpr std::chrono::milliseconds patience_with_holders{2000};

/// A trainer in messages and in the log. What it says of its host is its own word, and longer than a name only to do
/// harm.
std::string who(const ring::Hello& hello) {
  constexpr std::size_t longest_name = 255;
  return fmt::format("process {} on {}", hello.pid, printable(hello.host.substr(0, longest_name)));
}

/// Until it is known what the service needs: a small part of what is free.
std::uint64_t callers_while_loading() {
  const auto limit = file_limit();
  return std::max<std::uint64_t>(1, (limit - std::min(limit, open_files())) / 8);
}

}  // namespace

std::string service_address(const Config& config, std::uint32_t node) {
  const auto& base = config.socket.empty() ? config.name : config.socket;
  return config.split_nodes && node > 0 ? fmt::format("{}.{}", base, node) : base;
}

std::string meeting_place(const Config& config, std::size_t nodes) {
  auto text = fmt::format("trainers connect to '{}'", service_address(config, 0));
  if (config.split_nodes && nodes > 1)
    text += fmt::format(" .. '{}'", service_address(config, static_cast<std::uint32_t>(nodes - 1)));
  text += config.socket.empty() ? fmt::format(" (abstract socket headrace/{}/{})", geteuid(), config.name)
                                : std::string(" (a socket in the file system)");
  return text + fmt::format(", up to {} on each node", config.trainers_per_node);
}

FrontDesk::FrontDesk(const Config& config, const Topology& topology, ipc::Poller& poller, Actions actions)
    : config_(config),
      topology_(topology),
      poller_(poller),
      actions_(std::move(actions)),
      listener_(ipc::Address(service_address(config, topology.my_node))),
      most_callers_(callers_while_loading()) {
  poller_.add(listener_.fd(), [this] { accept(); });
}

FrontDesk::~FrontDesk() {
  poller_.remove(listener_.fd());
  for (const auto& [id, caller] : callers_) poller_.remove(caller.connection.fd());
}

void FrontDesk::accept() try {
  if (callers_.size() >= most_callers_)
    return pause(fmt::format("ulimit -n allows {}: {} are held by callers, and the rest is kept for trainers",
                             file_limit(), callers_.size()));
  auto connection = listener_.accept();
  if (!connection) return;
  const auto id = next_id_++;
  const int fd = connection->fd();
  callers_[id].connection = std::move(*connection);
  try {
    ipc::require_same_user(callers_[id].connection, "whoever connected");
  } catch (const Error& error) {
    return refuse(id, error.what());
  }
  poller_.add(fd, [this, id] { read(id); });
} catch (const ipc::NoDescriptors& error) {
  pause(error.what());
}

void FrontDesk::pause(const std::string& why) {
  poller_.remove(listener_.fd());
  const auto now = Clock::now();
  paused_ = now;
  if (pause_told_ && now - *pause_told_ < tell_pause_every) return;
  pause_told_ = now;
  log::warn("no file descriptor for who connects, who waits until some are free ({})", why);
}

void FrontDesk::resume(Clock::time_point now) {
  if (!paused_ || now - *paused_ < try_again_every || callers_.size() >= most_callers_) return;
  paused_.reset();
  poller_.add(listener_.fd(), [this] { accept(); });
}

void FrontDesk::read(std::uint64_t id) {
  try {
    const auto received = callers_.at(id).connection.receive();
    if (received.what == ipc::Receipt::closed) return drop(id);
    if (received.what == ipc::Receipt::message) greet(id, received.message);
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
    return command(id, command_said->name);
  }
  const auto* hello = std::get_if<ring::Hello>(&said);
  require(hello && caller.state == State::connected, "a message came that makes no sense before the welcome");
  caller.hello = *hello;
  if (hello->role == ring::Role::control) {
    caller.state = State::tool;
    return;
  }
  require(closed_.empty(), closed_);
  require(message.fds.size() == 1,
          "the hello carries no descriptor of the trainer's process; use the same version of "
          "the trainers' library as the service");
  const auto pid = ipc::pid_of_pidfd(message.fds.front());
  const auto peer = caller.connection.peer().pid;
  require(pid && (*pid == 0 || peer == 0 || *pid == peer), "the hello carries a descriptor of another process");
  caller.pidfd = message.fds.front().duplicate();
  caller.state = State::waiting;
  if (blueprint_) return claim(id);
  caller.connection.send(ring::encode(ring::Loading{what_, fraction_}));
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

std::optional<std::uint32_t> FrontDesk::take_ring(std::uint32_t stream, std::int32_t local_rank) {
  auto& taken = ring_taken_[stream];
  const auto wanted = static_cast<std::size_t>(std::max(0, local_rank));
  if (wanted < taken.size() && !taken[wanted]) {
    taken[wanted] = true;
    return static_cast<std::uint32_t>(wanted);
  }
  const auto found = std::find(taken.begin(), taken.end(), false);
  if (found == taken.end()) return std::nullopt;
  *found = true;
  return static_cast<std::uint32_t>(found - taken.begin());
}

void FrontDesk::claim(std::uint64_t id) {
  auto& caller = callers_.at(id);
  const auto& hello = caller.hello;
  caller.stream = stream_number(hello.stream);
  require(hello.rank < hello.world_size,
          fmt::format("rank {} is not below the world size {}", hello.rank, hello.world_size));
  // A ring was sized for the trainers that the configuration expects; fewer of them may ask for larger batches.
  const auto& facts = blueprint_->streams[caller.stream];
  const auto batch = facts.schedule(hello.world_size).batch();
  const auto bytes = ring::Producer::ring_bytes(blueprint_->schema, blueprint_->expected_batch(caller.stream),
                                                blueprint_->slots_of(config_, caller.stream));
  require(
      ring::Producer::ring_bytes(blueprint_->schema, batch, 1) <= bytes,
      fmt::format("a batch of {} rows for {} trainers does not fit the rings, which were made for {} trainers; restart "
                  "the service with that number of trainers, or with more slots",
                  batch, hello.world_size, blueprint_->trainers));
  caller.ring = take_ring(caller.stream, hello.local_rank);
  caller.state = State::claimed;
  // Without a ring the claim is made all the same: if the rank itself is taken, that is what the trainer must know.
  std::string no_room;
  if (!caller.ring)
    no_room = fmt::format(
        "all rings of stream '{}' on {} are taken: it serves {} trainer{} there (trainers-per-node); "
        "start fewer trainers, or restart the service with a larger number",
        facts.name, topology_.here().host, config_.trainers_per_node, config_.trainers_per_node == 1 ? "" : "s");
  actions_.claim({{"type", "claim"},
                  {"id", id},
                  {"node", topology_.my_node},
                  {"stream", caller.stream},
                  {"rank", hello.rank},
                  {"world_size", hello.world_size},
                  {"no_room", no_room},
                  {"who", who(hello)}});
}

void FrontDesk::answer(const nlohmann::json& message) {
  const auto id = message.at("id").get<std::uint64_t>();
  const bool granted = message.at("type") == "grant";
  const auto found = callers_.find(id);
  ENSURES(found != callers_.end());  // a claimed caller stays until it is answered
  auto& caller = found->second;
  if (!granted) {
    if (caller.ring) ring_taken_.at(caller.stream).at(*caller.ring) = false;
    const auto now = Clock::now();
    if (!caller.patient_until) caller.patient_until = now + patience_with_holders;
    if (message.at("taken").get<bool>() && !caller.gone && closed_.empty() && now < *caller.patient_until) {
      caller.state = State::waiting;
      return;
    }
    caller.state = State::connected;  // it is answered, and may go
    return refuse(id, message.at("text"));
  }
  ENSURES(caller.ring.has_value());
  auto guest = message;
  guest["type"] = "guest";
  guest["stream"] = caller.stream;
  guest["ring"] = *caller.ring;
  guest["rank"] = caller.hello.rank;
  guest["world_size"] = caller.hello.world_size;
  guest["who"] = who(caller.hello);
  poller_.remove(caller.connection.fd());
  std::vector<ipc::Fd> fds;
  fds.push_back(caller.connection.take());
  fds.push_back(std::move(caller.pidfd));
  const auto local = *caller.ring % topology_.here().stagers;
  callers_.erase(found);
  actions_.hand_over(local, guest, std::move(fds));
}

void FrontDesk::ring_free(std::uint32_t stream, std::uint32_t ring) {
  ring_taken_.at(stream).at(ring) = false;
  ring_freed_ = true;
}

void FrontDesk::loading(const std::string& what, double fraction) {
  what_ = what;
  fraction_ = fraction;
}

void FrontDesk::open(const Blueprint& blueprint) {
  blueprint_ = &blueprint;
  ring_taken_.assign(blueprint.streams.size(), std::vector<bool>(config_.trainers_per_node));
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
  resume(now);
  if (blueprint_) {
    // Not in ring_free() itself: the coordinator must hear first that the trainer left.
    if (!std::exchange(ring_freed_, false) && now - tried_ < try_again_every) return;
    tried_ = now;
    return claim_waiting();
  }
  if (now - told_ < tell_every) return;
  told_ = now;
  for (const auto& [id, caller] : callers_)
    if (caller.state == State::waiting) caller.connection.send(ring::encode(ring::Loading{what_, fraction_}));
}

void FrontDesk::command(std::uint64_t id, const std::string& name) {
  const auto& connection = callers_.at(id).connection;
  if (name == "wait") {
    nlohmann::json state{{"ready", blueprint_ != nullptr && closed_.empty()}, {"what", what_}, {"fraction", fraction_}};
    if (!closed_.empty()) state["ended"] = closed_;
    connection.send(state.dump(), {}, send_limit);
  } else if (name == "stat") {
    actions_.stat(id);
  } else if (name == "stop") {
    connection.send(nlohmann::json{{"stopping", true}}.dump(), {}, send_limit);
    if (closed_.empty()) actions_.stop("headrace stop");
  } else {
    throw Error("unknown command '" + name + "'" + did_you_mean(name, {"stat", "stop", "wait"}));
  }
}

void FrontDesk::tell(std::uint64_t tool, const std::string& text) {
  const auto found = callers_.find(tool);
  if (found != callers_.end()) found->second.connection.send(text, {}, send_limit);
}

void FrontDesk::refuse(std::uint64_t id, const std::string& text, ring::Refusal kind) {
  const auto found = callers_.find(id);
  if (found == callers_.end()) return;
  found->second.connection.send(ring::encode(ring::Refused{kind, text}), {}, send_limit);
  drop(id);
}

void FrontDesk::drop(std::uint64_t id) {
  const auto found = callers_.find(id);
  poller_.remove(found->second.connection.fd());
  // A claim under way ends with its answer: the guest's connection is closed by then, and its stager sees that.
  if (found->second.state == State::claimed) {
    found->second.gone = true;
    return;
  }
  callers_.erase(found);
}

void FrontDesk::close(const std::string& why) {
  closed_ = why;
  listener_.withdraw();  // the process may be about to leave without destructors
  std::vector<std::uint64_t> waiting;
  for (const auto& [id, caller] : callers_)
    if (caller.state == State::waiting) waiting.push_back(id);
  for (const auto id : waiting) refuse(id, why, ring::Refusal::failed);
}

void FrontDesk::over() {
  for (const auto& [id, caller] : callers_) poller_.remove(caller.connection.fd());
  callers_.clear();
}

}  // namespace headrace::service
