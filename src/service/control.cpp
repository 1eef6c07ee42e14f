#include "service/control.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.hpp"
#include "ipc/socket.hpp"
#include "ring/messages.hpp"

namespace headrace::service {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds answer_limit{10};
constexpr std::chrono::milliseconds ask_every{100};

std::optional<ipc::Connection> try_connect(const std::string& name) {
  auto connection = ipc::Connection::connect(ipc::Address(name));
  if (!connection) return std::nullopt;
  ipc::require_same_user(*connection, "the service '" + name + "'");
  ring::Hello hello;
  hello.role = ring::Role::control;
  hello.pid = getpid();
  if (connection->send(ring::encode(hello), {}, answer_limit) != ipc::Sent::sent) return std::nullopt;
  return connection;
}

std::string no_such_service(const std::string& name) {
  auto text = "there is no service '" + name + "' on this node";
  const auto names = ipc::list_services();
  return text + (names.empty() ? "; none runs here" : did_you_mean(name, names));
}

ipc::Connection connect(const std::string& name) {
  auto connection = try_connect(name);
  require(connection.has_value(), no_such_service(name));
  return std::move(*connection);
}

/// Nothing if the service went away meanwhile.
std::optional<nlohmann::json> ask(const ipc::Connection& connection, const std::string& command) {
  if (connection.send(ring::encode(ring::Command{command, ""}), {}, answer_limit) != ipc::Sent::sent)
    return std::nullopt;
  const auto received = connection.receive(answer_limit);
  if (received.what == ipc::Receipt::closed) return std::nullopt;
  require(received.what == ipc::Receipt::message,
          fmt::format("the service does not answer '{}' within {} s", command, answer_limit.count()));
  auto answer = nlohmann::json::parse(received.message.text);
  if (answer.contains("error")) throw Error(answer["error"].value("text", "the service refused"));
  return answer;
}

}  // namespace

std::string only_service() {
  const auto names = ipc::list_services();
  require(!names.empty(), "no service of this user runs on this node");
  require(names.size() == 1, fmt::format("several services run on this node; say which (available: {})",
                                         fmt::join(names, ", ")));
  return names.front();
}

int wait(const std::string& name, double timeout, std::ostream& out) {
  const auto begin = Clock::now();
  std::string last = no_such_service(name);
  for (;;) {
    if (const auto connection = try_connect(name))
      if (const auto state = ask(*connection, "wait")) {
        require(!state->contains("ended"), "the service '" + name + "' is ending: " + state->value("ended", ""));
        if (state->at("ready")) {
          out << "ready\n";
          return 0;
        }
        last = fmt::format("the service '{}' is still {}", name, state->value("what", "starting"));
        if (const double fraction = state->value("fraction", -1.0); fraction >= 0)
          last += fmt::format(" ({:.0f} %)", 100 * fraction);
      }
    const std::chrono::duration<double> waited = Clock::now() - begin;
    require(waited.count() < timeout, fmt::format("{} after {:g} s; raise --timeout, or look at its log", last, timeout));
    std::this_thread::sleep_for(ask_every);
  }
}

int stop(const std::string& name, double timeout, std::ostream& out) {
  const auto connection = connect(name);
  if (!ask(connection, "stop")) return 0;
  // The service closes the connection when all is done.
  const auto end = connection.receive(std::chrono::milliseconds(static_cast<std::int64_t>(timeout * 1000)));
  require(end.what == ipc::Receipt::closed,
          fmt::format("the service '{}' has not ended after {:g} s; look at its log, or end its processes", name, timeout));
  out << "stopped\n";
  return 0;
}

int stat(const std::string& name, bool json, std::ostream& out) {
  const auto answer = ask(connect(name), "stat");
  require(answer.has_value(), no_such_service(name));
  if (json) {
    out << answer->dump(2) << "\n";
    return 0;
  }
  out << fmt::format("service {} on {} (stager process {})\n", answer->value("name", ""), answer->value("host", ""),
                     answer->value("pid", 0));
  if (answer->contains("service"))
    for (const auto& stream : answer->at("service").at("streams"))
      out << fmt::format("  stream {}: {} samples, {} trainers, {} epochs complete, {} samples delivered{}\n",
                         stream.value("name", ""), stream.value("samples", 0ull), stream.value("world_size", 0u),
                         stream.value("epochs_complete", 0ull), stream.value("samples_delivered", 0ull),
                         stream.value("exactly_once", true) ? "" : ", AUDIT FAILED");
  if (answer->contains("guests"))
    for (const auto& guest : answer->at("guests"))
      out << fmt::format("  trainer {} of {} of {} ({}): epoch {}, step {}; waited {:.1f} s for batches, was waited for {:.1f} s\n",
                         guest.value("rank", 0u), guest.value("world_size", 0u), guest.value("stream", ""),
                         guest.value("who", ""), guest.value("epoch", 0ull), guest.value("step", 0ull),
                         guest.value("trainer_wait_s", 0.0), guest.value("stager_wait_s", 0.0));
  return 0;
}

}  // namespace headrace::service
