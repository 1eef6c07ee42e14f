#include "fake_service.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "formula.hpp"
#include "ipc/memory.hpp"
#include "ring/file_table.hpp"

namespace fake {

using namespace headrace;
using std::chrono::milliseconds;

Service::Service(Options options)
    : options_(std::move(options)),
      listener_(ipc::Address(options_.name)),
      ready_at_(Clock::now() + milliseconds(options_.load_ms)) {
  poller_.add(listener_.fd(), [this] { accept(); });
  std::printf("ready %s\n", options_.name.c_str());
  std::fflush(stdout);
}

void Service::run() {
  // Messages come in between: a trainer throws away what is older than its seek as fast as it is filled.
  bool asleep = true;
  while (!over_) {
    poller_.wait(asleep ? until_next() : milliseconds(0));
    if (loading_) load();
    asleep = true;
    for (auto& [key, guest] : guests_)
      if (guest.ring && !over_) asleep = pump(guest) && asleep;
  }
}

milliseconds Service::until_next() const {
  if (loading_) return milliseconds(50);
  if (options_.delay_ms == 0) return milliseconds(-1);
  auto wait = milliseconds(-1);
  for (const auto& [key, guest] : guests_) {
    if (!guest.ring || guest.ring->free() == 0) continue;
    const auto left = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(guest.next - Clock::now()));
    if (wait.count() < 0 || left < wait) wait = left;
  }
  return wait.count() == 0 ? milliseconds(1) : wait;
}

void Service::load() {
  loading_ = Clock::now() < ready_at_;
  const double left = std::chrono::duration<double, std::milli>(ready_at_ - Clock::now()).count();
  const ring::Loading message{"reading formulas", loading_ ? 1 - left / options_.load_ms : 1};
  std::vector<int> keys;
  for (const auto& [key, guest] : guests_)
    if (guest.greeted && !guest.ring && !guest.control) keys.push_back(key);
  for (const int key : keys) {
    if (loading_)
      static_cast<void>(guests_[key].connection.send(encode(message)));
    else
      admit(key);
  }
}

void Service::accept() {
  auto connection = listener_.accept();
  if (!connection) return;
  ipc::require_same_user(*connection, "a client");
  const int key = connection->fd();
  guests_[key].connection = std::move(*connection);
  poller_.add(key, [this, key] { read(key); });
}

void Service::read(int key) {
  auto& guest = guests_[key];
  try {
    auto received = guest.connection.receive();
    if (received.what == ipc::Receipt::closed) return leave(key, false);
    if (received.what != ipc::Receipt::message) return;
    const auto said = ring::decode_from_client(received.message.text);
    if (const auto* hello = std::get_if<ring::Hello>(&said)) greet(key, *hello, std::move(received.message.fds));
    if (const auto* seek_to = std::get_if<ring::Seek>(&said)) seek(guest, *seek_to);
    if (const auto* wanted = std::get_if<ring::Agree>(&said)) agree(guest, *wanted);
    if (std::holds_alternative<ring::AskFiles>(said)) tell_files(guest);
    if (std::holds_alternative<ring::Goodbye>(said)) leave(key, true);
    if (const auto* order = std::get_if<ring::Command>(&said)) command(key, *order);
  } catch (const ring::VersionMismatch& error) {
    static_cast<void>(guest.connection.send(encode(ring::Refused{ring::Refusal::version, error.what()})));
    leave(key, false);
  } catch (const Error& error) {
    static_cast<void>(guest.connection.send(encode(ring::Refused{ring::Refusal::refused, error.what()})));
    leave(key, false);
  }
}

std::string Service::objection(const ring::Hello& hello, std::uint32_t& stream) const {
  const auto found = std::ranges::find(options_.streams, hello.stream);
  if (hello.stream.empty() && options_.streams.size() > 1)
    return "the service has several streams; name one" + did_you_mean("", options_.streams);
  if (!hello.stream.empty() && found == options_.streams.end())
    return "no stream '" + hello.stream + "' in service '" + options_.name + "'" +
           did_you_mean(hello.stream, options_.streams);
  stream = hello.stream.empty() ? 0 : static_cast<std::uint32_t>(found - options_.streams.begin());
  if (hello.world_size > options_.trainers)
    return std::to_string(hello.world_size) + " trainers, but the service was started for " +
           std::to_string(options_.trainers) + "; start fewer";
  if (hello.rank >= hello.world_size)
    return "rank " + std::to_string(hello.rank) + " of " + std::to_string(hello.world_size) + " trainers";
  for (const auto& [key, guest] : guests_) {
    if (!guest.greeted || guest.control || guest.stream != stream) continue;
    if (guest.world_size != hello.world_size)
      return "world size " + std::to_string(hello.world_size) + ", but trainers of world size " +
             std::to_string(guest.world_size) + " are at work on stream '" + options_.streams[stream] + "'";
    if (guest.rank == hello.rank)
      return "rank " + std::to_string(hello.rank) + " is taken by process " + std::to_string(guest.pid) +
             "; end it, or use another rank";
  }
  return "";
}

void Service::greet(int key, const ring::Hello& hello, std::vector<ipc::Fd> fds) {
  auto& guest = guests_[key];
  require(!guest.greeted, "a second hello");
  guest.control = hello.role == ring::Role::control;
  if (!guest.control) {
    require(fds.size() == 1 && ipc::pid_of_pidfd(fds[0]).has_value(), "hello without the pidfd of a living process");
    std::uint32_t stream = 0;
    const auto no = objection(hello, stream);
    require(no.empty(), no);
    guest.stream = stream;
    guest.pidfd = std::move(fds[0]);
    poller_.add(guest.pidfd.get(), [this, key] { leave(key, false); });
  }
  guest.rank = hello.rank;
  guest.world_size = hello.world_size;
  guest.pid = hello.pid;
  guest.greeted = true;
  if (guest.control) return;
  if (loading_) load();
  if (!loading_ && !guests_[key].ring) admit(key);
}

void Service::admit(int key) {
  auto& guest = guests_[key];
  had_trainers_ = true;
  const auto schema = formula::schema();
  const auto bytes = ring::Producer::ring_bytes(schema, options_.batch, options_.slots);
  guest.ring = std::make_unique<ring::Producer>("fake-ring", schema, bytes, 1);
  guest.ring->configure(options_.batch, guest.generation);
  guest.bell = ipc::Bell::make();
  poller_.add(guest.bell.fd(), [bell = &guest.bell] { bell->drain(); });
  auto& course = this->course(guest);
  course.ended = false;
  const Place next = course.again.empty() ? course.cursor : *course.again.begin();
  const ring::Welcome welcome{.service = options_.name,
                              .stream = options_.streams[guest.stream],
                              .rank = guest.rank,
                              .world_size = guest.world_size,
                              .batches = steps(guest.world_size),
                              .samples = options_.rows,
                              .epochs = options_.epochs,
                              .batch = options_.batch,
                              .slots = guest.ring->slots(),
                              .epoch = next.first,
                              .step = next.second,
                              .generation = guest.generation,
                              .fields = schema,
                              .fingerprint = {{"files", std::to_string(options_.rows)},
                                              {"fields", "formula"},
                                              {"stream", options_.streams[guest.stream] + " " + options_.last},
                                              {"seed", "0"}},
                              .ring_bytes = guest.ring->bytes(),
                              .stager = 0,
                              .pid = getpid(),
                              .host = "fakehost",
                              .last = options_.last};
  const auto self = ipc::open_pidfd(getpid());
  const std::array<int, 3> fds{guest.ring->fd().get(), guest.bell.fd(), self.get()};
  static_cast<void>(guest.connection.send(encode(welcome), fds));
  log(guest, "welcome");
}

void Service::command(int key, const ring::Command& order) {
  auto& guest = guests_[key];
  require(guest.control, "a command from a trainer");
  if (order.name == "stop") return stop("stopped by command");
  nlohmann::json answer{{"service", options_.name}, {"ready", !loading_}, {"published", published_}};
  static_cast<void>(guest.connection.send(answer.dump()));
}

void Service::agree(const Guest& guest, const ring::Agree& wanted) {
  const Place place{wanted.epoch, wanted.step};
  auto& [rank, agreed] = agreed_.try_emplace(guest.stream, guest.rank, place).first->second;
  std::string refusal;
  if (rank == guest.rank)
    agreed = place;
  else if (agreed != place)
    refusal = "rank " + std::to_string(guest.rank) + " wants to go on elsewhere";
  static_cast<void>(guest.connection.send(encode(ring::Agreed{wanted.number, refusal})));
}

void Service::tell_files(const Guest& guest) const {
  const auto files = ring::encode(std::vector<ring::FileSpan>{
      {"/data/first\n.h5", 0, 7}, {"/data/none.h5", 7, 0}, {"/data/last.h5", 7, options_.rows - 7}});
  const auto table = ipc::make_memfd_of("fake-files", files);
  const std::array<int, 1> fds{table.get()};
  static_cast<void>(guest.connection.send(encode(ring::FilesTold{}), fds));
  log(guest, "files");
}

void Service::seek(Guest& guest, const ring::Seek& to) {
  require(guest.ring != nullptr && to.generation > guest.generation, "a seek that cannot be");
  collect(guest);
  guest.generation = to.generation;
  course(guest) = {{to.epoch, to.step}, {}, false};
  log(guest, "seek " + std::to_string(to.epoch) + " " + std::to_string(to.step));
}

void Service::leave(int key, bool goodbye) {
  auto& guest = guests_[key];
  auto& course = this->course(guest);
  if (guest.ring) {
    collect(guest);
    for (const auto& batch : guest.ring->reclaim_all())
      if (batch.generation == guest.generation) course.again.insert({batch.epoch, batch.step});
    if (goodbye) {
      const auto [epoch, step] = course.again.empty() ? course.cursor : *course.again.begin();
      course = {step == 0 ? Place{epoch, 0} : Place{epoch + 1, 0}, {}, false};
    }
    poller_.remove(guest.bell.fd());
    log(guest, goodbye ? "goodbye" : "gone");
  }
  if (guest.pidfd) poller_.remove(guest.pidfd.get());
  poller_.remove(key);
  guests_.erase(key);
  if (options_.once && had_trainers_ && guests_.empty()) over_ = true;
}

void Service::collect(Guest& guest) {
  std::vector<ring::Returned> returned;
  guest.ring->collect(returned);
  for (const auto& [slot, consumed, batch] : returned)
    log(guest, std::string(consumed ? "released " : "discarded ") + std::to_string(batch.epoch) + " " +
                   std::to_string(batch.step));
}

bool Service::pump(Guest& guest) {
  collect(guest);
  Place place;
  while (guest.ring->free() > 0 && Clock::now() >= guest.next && take_next(guest, place)) {
    fill(guest, *guest.ring->take_free(), place);
    if (options_.delay_ms > 0) guest.next = Clock::now() + milliseconds(options_.delay_ms);
    if (++published_ == options_.die_after) kill(getpid(), SIGKILL);
    if (published_ == options_.stop_after) {
      stop("stopped after " + std::to_string(published_) + " batches");
      return true;
    }
  }
  return guest.ring->arm_bell();
}

std::uint64_t Service::steps(std::uint32_t world_size) const {
  if (options_.steps > 0) return options_.steps;
  const std::uint64_t global = std::uint64_t{options_.batch} * world_size;
  return options_.last == "drop" ? options_.rows / global : (options_.rows + global - 1) / global;
}

bool Service::take_next(Guest& guest, Place& place) {
  auto& course = this->course(guest);
  if (!course.again.empty()) {
    place = *course.again.begin();
    course.again.erase(course.again.begin());
    return true;
  }
  if (options_.epochs > 0 && course.cursor.first >= options_.epochs) {
    if (!std::exchange(course.ended, true)) guest.ring->publish_end(guest.generation);
    return false;
  }
  place = course.cursor;
  auto& [epoch, step] = course.cursor;
  if (++step == steps(guest.world_size)) ++epoch, step = 0;
  return true;
}

void Service::fill(Guest& guest, std::uint32_t slot, Place place) {
  const auto part = formula::part(options_.rows, guest.stream, place.first, place.second, options_.batch, guest.rank,
                                  guest.world_size, options_.last == "pad");
  std::ranges::copy(part.samples, guest.ring->index(slot));
  const auto& schema = guest.ring->schema();
  for (std::size_t field = 0; field < schema.size(); ++field)
    for (std::size_t row = 0; row < part.samples.size(); ++row)
      formula::write_row(field, part.samples[row], guest.ring->field(slot, field) + row * schema[field].row_bytes());
  auto& course = this->course(guest);
  const bool last = options_.epochs > 0 && course.cursor.first >= options_.epochs && course.again.empty();
  if (last) course.ended = true;
  guest.ring->publish(slot, {.generation = guest.generation,
                             .epoch = place.first,
                             .step = place.second,
                             .rows = part.rows,
                             .filled = static_cast<std::uint32_t>(part.samples.size()),
                             .last = last});
}

void Service::log(const Guest& guest, const std::string& what) const {
  if (!options_.log) return;
  std::printf("%s %u %s\n", options_.streams[guest.stream].c_str(), guest.rank, what.c_str());
  std::fflush(stdout);
}

void Service::stop(const std::string& why) {
  for (auto& [key, guest] : guests_) static_cast<void>(guest.connection.send(encode(ring::Dying{why})));
  over_ = true;
}

}  // namespace fake
