// headrace COMMAND ...: takes the command line apart, runs the command, returns its exit code.
// 0 done, 1 failed, 2 wrong usage.
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "service/control.hpp"
#include "service/options_load.hpp"
#include "service/serve.hpp"

namespace {

using namespace headrace;
using namespace headrace::service;

/// A command with what it does. Mistakes of its command line so far are passed on, to be told with its own.
struct Entry {
  Command command;
  std::function<int(const Arguments&, Mistakes&)> run;
};

const Flag timeout_flag{"timeout", 't', "SECONDS", "60", "how long to wait"};

int run_serve(const Arguments& arguments, Mistakes& mistakes) {
  return serve(load_config(arguments, environment(), std::move(mistakes)));
}

/// The service that a tool command means: the one named, or the only one.
std::string service_of(const Arguments& arguments) {
  if (arguments.positional.size() > 1) throw UsageError("one service name at most");
  return arguments.positional.empty() ? only_service() : arguments.positional.front();
}

int run_wait(const Arguments& arguments, Mistakes&) {
  if (arguments.positional.size() != 1) throw UsageError("say which service to wait for: headrace wait NAME");
  return wait(arguments.positional.front(), seconds(arguments.value("timeout", timeout_flag.fallback)), std::cout);
}

int run_stop(const Arguments& arguments, Mistakes&) {
  return stop(service_of(arguments), seconds(arguments.value("timeout", timeout_flag.fallback)), std::cout);
}

int run_stat(const Arguments& arguments, Mistakes&) {
  return stat(service_of(arguments), arguments.has("json"), std::cout);
}

std::vector<Entry> entries() {
  return {
      {{"serve", "[FILE...]", "run the service, under mpirun or srun, or alone", "", true, {}}, run_serve},
      {{"wait", "NAME", "return when trainers can attach to a service of this node", "", false, {timeout_flag}},
       run_wait},
      {{"stop", "[NAME]", "end a service gracefully", "", false, {timeout_flag}}, run_stop},
      {{"stat", "[NAME]", "show how a service of this node is doing", "", false, {{"json", 0, "", "", "as JSON"}}},
       run_stat},
  };
}

/// Launched side by side, all ranks make the same mistake: only the first tells it.
bool speaks_for_all() {
  for (const auto* variable : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const char* rank = std::getenv(variable)) return std::string(rank) == "0";
  return true;
}

std::string overview(const std::vector<Entry>& all) {
  std::string text =
      "Feeds training jobs from HDF5 files: read once, shuffled anew each epoch, delivered in shared memory.\n\n"
      "Usage: headrace COMMAND ...\n\nCommands\n";
  for (const auto& entry : all)
    text += "  " + entry.command.name + std::string(10 - entry.command.name.size(), ' ') + entry.command.summary + "\n";
  return text + "\nEach has a --help of its own; 'headrace --version' tells the version.\n";
}

int run_command(const Entry& entry, const std::vector<std::string>& args) {
  Mistakes mistakes;
  const auto arguments = parse_arguments(entry.command, args, mistakes);
  if (arguments.help) {
    std::cout << help_text(entry.command);
    return 0;
  }
  if (!entry.command.configured) mistakes.throw_if_any();
  return entry.run(arguments, mistakes);
}

int run(const std::vector<std::string>& args) {
  const auto all = entries();
  if (args.empty()) throw UsageError("no command given\n\n" + overview(all));
  if (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    std::cout << overview(all);
    return 0;
  }
  if (args[0] == "--version") {
    std::cout << "headrace " HEADRACE_VERSION "\n";
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& entry : all) {
    if (entry.command.name == args[0]) return run_command(entry, {args.begin() + 1, args.end()});
    names.push_back(entry.command.name);
  }
  throw UsageError("unknown command '" + args[0] + "'" + did_you_mean(args[0], names));
}

}  // namespace

int main(int argc, char** argv) {
  int code = 1;
  std::string message;
  try {
    return run({argv + 1, argv + argc});
  } catch (const UsageError& error) {
    code = 2;
    message = error.what();
  } catch (const std::exception& error) {
    message = error.what();
  }
  if (speaks_for_all()) std::cerr << "headrace: " << message << "\n";
  return code;
}
