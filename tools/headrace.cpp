// headrace COMMAND ...: finds the command, takes its command line apart, runs it, returns its exit code: 0 done,
// 1 failed, 2 wrong usage. What a command does begins in src/commands: NAME/command.cpp or NAME_command.cpp (plan:
// forecast/command.cpp; wait and stop: control.cpp); serve, the service itself, goes on in src/service/serve.cpp.

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/crash.hpp"
#include "base/error.hpp"
#include "base/host_name.hpp"
#include "base/printable.hpp"
#include "base/process_end.hpp"
#include "base/process_start.hpp"
#include "catalog/examiner.hpp"
#include "commands/bench/command.hpp"
#include "commands/commands.hpp"
#include "commands/export/command.hpp"
#include "commands/forecast/command.hpp"
#include "commands/inspect/command.hpp"
#include "commands/pack/command.hpp"
#include "commands/premix/command.hpp"
#include "commands/stats/command.hpp"
#include "config/reference.hpp"
#include "mpi/launcher.hpp"

namespace {

using namespace headrace;
using namespace headrace::commands;
using namespace headrace::config;

// What the caller said of SIGHUP (nohup has it ignored). Asked before the constructors of any library run: UCX, which Open
// MPI may bring along, takes the signal in one of its own. As the kernel tells it, since sanitizers stand in the way of
// sigaction() before they have begun.
struct {
  void* handler;
  unsigned long flags;
  void* restorer;
  unsigned long mask;
} hang_up;
__attribute__((no_sanitize("address", "thread", "undefined"))) void ask_of_hang_up(int, char**, char**) {
  syscall(SYS_rt_sigaction, SIGHUP, nullptr, &hang_up, sizeof hang_up.mask);
}
__attribute__((section(".preinit_array"), used)) void (*const before_libraries)(int, char**, char**) = ask_of_hang_up;

std::vector<Command> commands() {
  return {inspect::inspect_command(),
          serve_command(),
          bench::bench_command(),
          forecast::plan_command(),
          stat_command(),
          stats::stats_command(),
          premix::premix_command(),
          exporting::export_command(),
          pack::pack_command(),
          run_command(),
          wait_command(),
          stop_command()};
}

std::string overview(const std::vector<Command>& all) {
  std::string text =
      "Feeds training jobs from HDF5 files: read once, shuffled anew each epoch, delivered in shared memory.\n\n"
      "Usage: headrace COMMAND ...\n\nCommands\n";
  for (const auto& command : all)
    text += "  " + command.name + std::string(10 - command.name.size(), ' ') + command.summary + "\n";
  return text +
         "\nEach has a --help of its own; 'headrace --version' tells the version, 'headrace help --json' all of this "
         "for "
         "programs.\n";
}

/// Error where what was printed did not arrive: on a full disk, say.
void require_output() {
  errno = 0;
  std::cout.flush();
  bool arrived = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
  // Network file systems say it when a descriptor is closed.
  if (arrived) arrived = close(dup(STDOUT_FILENO)) == 0;
  if (arrived) return;
  // What was printed earlier may have failed earlier: ask once more for the reason.
  if (errno == 0 && write(STDOUT_FILENO, "\n", 1) == 1) errno = EIO;
  throw Error("the output could not be written whole (" + errno_text("standard output", errno) + ")");
}

void print(const std::string& text) {
  std::cout << text;
  require_output();
}

int start(const Command& command, const std::vector<std::string>& args) {
  Mistakes mistakes;
  const auto arguments = parse_arguments(command, args, mistakes);
  if (arguments.help) {
    print(help_text(command));
    return 0;
  }
  if (!command.configured) mistakes.throw_if_any();
  if (!command.prints) {
    ignore_signal(SIGPIPE);  // whoever read the output may go; the work goes on
    return command.run(arguments, mistakes);
  }
  require(!output_was_closed(), "standard output is closed, and '" + command.name + "' prints; open it");
  const int code = command.run(arguments, mistakes);
  require_output();
  return code;
}

const Command& find(const std::vector<Command>& all, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& command : all) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  throw UsageError("unknown command '" + name + "'" + did_you_mean(name, names));
}

/// headrace help [COMMAND | --json]
int help(const std::vector<Command>& all, const std::vector<std::string>& args) {
  if (args.size() > 1) throw UsageError("help takes one command, or --json; '" + args[1] + "' is too much");
  if (args.empty())
    print(overview(all));
  else if (args[0] == "--json")
    print(reference(HEADRACE_VERSION, all).dump(2) + "\n");
  else
    print(help_text(find(all, args[0])));
  return 0;
}

/// What this program starts itself as, to look at files: no command for people.
constexpr const char* examine_files = "examine-files";

int run(const std::vector<std::string>& args) {
  if (!args.empty() && args[0] == examine_files) return catalog::examine_for_another({args.begin() + 1, args.end()});
  catalog::examine_by(catalog::ExaminerProgram{.path = "/proc/self/exe", .arguments = {examine_files}});
  const auto all = commands();
  if (args.empty()) throw UsageError("no command given\n\n" + overview(all));
  if (args[0] == "--help" || args[0] == "-h" || args[0] == "help") return help(all, {args.begin() + 1, args.end()});
  if (args[0] == "--version") {
    print("headrace " HEADRACE_VERSION "\n");
    return 0;
  }
  return start(find(all, args[0]), {args.begin() + 1, args.end()});
}

/// Launched side by side, all ranks make the same mistake, and only the first tells it: once it has spoken the launcher
/// ends the others (Slurm now and then takes longer). Who is not ended is on a node where something else is wrong.
void tell(const std::string& what) {
  const auto message = printable_message(what);
  constexpr std::chrono::seconds for_the_launcher{5};
  if (mpi::is_first()) {
    std::cerr << "headrace: " << message << "\n";
    return;
  }
  std::this_thread::sleep_for(for_the_launcher);
  if (mpi::is_first_of_node())
    std::cerr << "headrace: on " + host_name() + ": " + message + "\n";
  else
    std::this_thread::sleep_for(for_the_launcher);
}

}  // namespace

int main(int argc, char** argv) {
  int code = 1;
  std::string message;
  signal(SIGHUP, reinterpret_cast<sighandler_t>(hang_up.handler));  // none of ours yet: ignored, or its default
  start_process();
  tell_crashes();
  try {
    return run({argv + 1, argv + argc});
  } catch (const UsageError& error) {
    code = 2;
    message = error.what();
  } catch (const std::exception& error) {
    message = error.what();
  }
  tell(message);
  if (leaves_at_once) {
    std::cout.flush();
    _exit(code);
  }
  return code;
}
