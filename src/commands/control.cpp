#include "commands/control.hpp"

#include <fmt/format.h>

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
  const auto begin = Clock::now();
  const auto missing = no_such_service(name);
  std::string last = missing;
  for (;;) {
    const auto connection = try_connect(name);
    const auto state = connection ? ask(*connection, "wait") : std::nullopt;
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
    const std::chrono::duration<double> waited = Clock::now() - begin;
    require(waited.count() < timeout,
            fmt::format("{}, after {:g} s; raise --timeout, or look at its log", last, timeout));
    std::this_thread::sleep_for(ask_every);
  }
}

int stop(const std::string& name, double timeout, std::ostream& out, const std::string& word) {
  const auto connection = connect(name);
  if (!send_command(connection, "stop", word) || !next_answer(connection, "stop")) return 0;
  // The service closes the connection when all is done.
  const auto end = connection.receive(std::chrono::milliseconds(static_cast<std::int64_t>(timeout * 1000)));
  require(
      end.what == ipc::Receipt::closed,
      fmt::format("the service '{}' has not ended after {:g} s; look at its log, or end its processes", name, timeout));
  out << "stopped\n";
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
