#include "commands/stat_command.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <iostream>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "commands/commands.hpp"
#include "commands/control.hpp"
#include "commands/tool_link.hpp"
#include "service/books/stat_report.hpp"

namespace headrace::commands {

namespace {

constexpr int watch_every_ms = 1000;

volatile sig_atomic_t interrupted = 0;

/// What all nodes said, as one document; nothing if the service went away, or Ctrl-C came.
std::optional<nlohmann::json> look(const ipc::Connection& connection) try {
  if (!send_command(connection, "stat")) return std::nullopt;
  for (service::books::Collected collected;;) {
    auto answer = next_answer(connection, "stat");
    if (!answer) return std::nullopt;
    if (auto view = collected.take(std::move(*answer))) return view;
  }
} catch (const Error&) {
  if (!interrupted) throw;
  return std::nullopt;
}

std::string shown(const nlohmann::json& view) {
  return printable_lines(service::books::stat_text(service::books::summary(view), service::books::rows_of_terminal()));
}

/// Sleeps for a second. False if Ctrl-C came or the service went away.
bool wait_a_second(const ipc::Connection& connection) {
  pollfd service{connection.fd(), POLLIN, 0};
  return poll(&service, 1, watch_every_ms) == 0 && !interrupted;
}

}  // namespace

int stat(const std::string& name, const StatOptions& options, std::ostream& out) {
  const auto connection = connect(name);
  auto view = look(connection);
  require(view.has_value(), no_such_service(name));
  if (!options.watch) {
    out << (options.json ? service::books::summary(*view).dump(2, ' ', true) + "\n" : shown(*view));
    return 0;
  }
  struct sigaction end {};
  end.sa_handler = [](int) { interrupted = 1; };
  sigaction(SIGINT, &end, nullptr);
  const bool screen = !options.json && isatty(STDOUT_FILENO);
  while (view) {
    // Home, the text with each line's old rest erased, and what was below: no flicker.
    if (options.json)
      out << service::books::summary(*view).dump(-1, ' ', true) << std::endl;
    else
      out << (screen ? service::books::on_screen(shown(*view)) : shown(*view) + "\n") << std::flush;
    if (!out || !wait_a_second(connection)) break;
    view = look(connection);
  }
  if (!interrupted && !options.json) out << "the service '" << name << "' has ended\n";
  return 0;
}

config::Command stat_command() {
  const config::Flag watch{"watch", 'w', "", "", "again every second, until Ctrl-C"};
  return {
      .name = "stat",
      .usage = "[NAME]",
      .summary = "Shows how a service is doing, on all its nodes.",
      .flags = {json_flag, watch},
      .prints = true,
      .run = [watch](const config::Arguments& arguments, config::Mistakes&) {
        return stat(running_service(arguments), {arguments.has(json_flag.name), arguments.has(watch.name)}, std::cout);
      }};
}

}  // namespace headrace::commands
