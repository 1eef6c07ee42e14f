#include "commands/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "commands/commands.hpp"
#include "commands/tool_link.hpp"
#include "ipc/socket.hpp"

namespace headrace::commands {

namespace {

constexpr std::chrono::milliseconds ask_every{100};
constexpr std::chrono::seconds at_least{1};  // for an answer, however soon the time is over
const config::Flag timeout_flag{"timeout", 't', "TIME", "60", "how long to wait"};

double patience(const config::Arguments& arguments) {
  return config::seconds(arguments.value(timeout_flag.name, timeout_flag.fallback));
}

/// The service that is named, by argument or variable; empty if by neither.
std::string service_named(const config::Arguments& arguments) {
  if (arguments.positional.size() > 1)
    throw UsageError("one service at a time; '" + arguments.positional[1] + "' is one name too many");
  if (!arguments.positional.empty()) return arguments.positional[0];
  const char* name = std::getenv("HEADRACE_NAME");
  return name ? name : "";
}

Clock::time_point after(double seconds) {
  constexpr double longest = 365 * 86400.0;
  return Clock::now() + std::chrono::milliseconds(static_cast<std::int64_t>(1000 * std::min(seconds, longest)));
}

std::chrono::milliseconds left_until(Clock::time_point end) {
  return std::max(std::chrono::milliseconds(1), std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
}

}  // namespace

std::string running_service(const config::Arguments& arguments) {
  if (auto name = service_named(arguments); !name.empty()) return name;
  const auto names = ipc::list_services();
  require(!names.empty(), "no service of this user runs on this node");
  require(names.size() == 1,
          fmt::format("several services run on this node; say which (available: {})", fmt::join(names, ", ")));
  return names.front();
}

int wait(const std::string& name, double timeout, std::ostream& out) {
  const auto until = after(timeout);
  const auto missing = no_such_service(name);
  std::string last = missing;
  for (;;) {
    const auto connection = try_connect(name);
    std::optional<nlohmann::json> state;
    try {
      const auto limit = std::clamp<std::chrono::milliseconds>(left_until(until), at_least, answer_limit);
      if (connection) state = ask(*connection, "wait", limit);
    } catch (const NoAnswer&) {  // busy, or stopped: its time is not over
      last = "the service '" + name + "' does not answer";
    }
    if (state) {
      require(!state->contains("ended"), "the service '" + name + "' is ending: " + state->value("ended", ""));
      if (state->at("ready")) {
        out << "ready\n";
        return 0;
      }
      last = fmt::format("the service '{}' is still {}", name, state->value("what", "starting"));
      if (const double fraction = state->value("fraction", -1.0); fraction >= 0)
        last += fmt::format(" ({:.0f} %)", 100 * fraction);
    }
    // One that was there and is gone will not come: at once, so that a job script need not sit out its time.
    require(connection || last == missing,
            "the service '" + name + "' ended before trainers could attach; see its own messages");
    require(Clock::now() < until, fmt::format("{}, after {:g} s; raise --timeout, or look at its log", last, timeout));
    std::this_thread::sleep_for(ask_every);
  }
}

int stop(const std::string& name, double timeout, std::ostream& out, const std::string& word) {
  const auto connection = connect(name);
  const auto until = after(timeout);
  // The service says when its work is done, and closes the connection when its memory is given back, too.
  std::optional<nlohmann::json> last;
  auto answer = send_command(connection, "stop", word) ? next_answer(connection, "stop") : std::nullopt;
  try {
    for (; answer; answer = next_answer(connection, "stop", left_until(until))) last = std::move(answer);
  } catch (const NoAnswer&) {
    if (last && last->contains("stopped")) {
      out << "stopped; its memory is not free yet\n";
      return 0;
    }
    throw Error(fmt::format("the service '{}' has not ended after {:g} s; look at its log, or end its processes", name,
                            timeout));
  }
  require(last.has_value(), no_such_service(name));  // it has just ended by itself
  require(last->contains("stopped"),
          fmt::format("the service '{}' has ended, but not because it was told to (it failed, or was killed); see its "
                      "own messages",
                      name));
  out << (last->value("audit_failed", false) ? "stopped; an audit failed, see its log\n" : "stopped\n");
  return 0;
}

config::Command wait_command() {
  return {.name = "wait",
          .usage = "NAME",
          .summary = "Returns when trainers can attach to a service on this node.",
          .flags = {timeout_flag},
          .run = [](const config::Arguments& arguments, config::Mistakes&) {
            const auto name = service_named(arguments);
            if (name.empty()) throw UsageError("say which service to wait for: headrace wait NAME");
            return wait(name, patience(arguments), std::cout);
          }};
}

config::Command stop_command() {
  return {.name = "stop",
          .usage = "[NAME]",
          .summary = "Ends a service on this node gracefully.",
          .flags = {timeout_flag},
          .run = [](const config::Arguments& arguments, config::Mistakes&) {
            return stop(running_service(arguments), patience(arguments), std::cout);
          }};
}

}  // namespace headrace::commands
