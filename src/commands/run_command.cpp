#include "commands/run_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>
#include <string_view>
#include <thread>

#include "base/error.hpp"
#include "base/host_name.hpp"
#include "base/printable.hpp"
#include "commands/child.hpp"
#include "commands/commands.hpp"
#include "commands/control.hpp"
#include "job/launch.hpp"

namespace headrace::commands {

namespace {

constexpr std::chrono::milliseconds nap{20};  // while other trainers still work: next to no CPU
constexpr double stop_limit_s = 60;

/// A trainer's place among the trainers.
struct Place {
  int rank = 0, size = 1, local = 0, local_size = 1;
  std::string first_host;
};

Place find_place(const mpi::Comm& starters) {
  const auto node = starters.split_shared();
  return {starters.rank(), starters.size(), node.rank(), node.size(), starters.bcast(host_name())};
}

bool has(const std::vector<std::string>& environment, const std::string& name) {
  return std::any_of(environment.begin(), environment.end(),
                     [&](const std::string& variable) { return variable.starts_with(name + "="); });
}

std::vector<std::string> environment_of(const Place& place) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry; ++entry)
    if (!is_of_launcher(*entry)) variables.emplace_back(*entry);
  const auto set = [&](const std::string& name, const auto& value) {
    std::erase_if(variables, [&](const std::string& variable) { return variable.starts_with(name + "="); });
    variables.push_back(fmt::format("{}={}", name, value));
  };
  set("RANK", place.rank);
  set("WORLD_SIZE", place.size);
  set("LOCAL_RANK", place.local);
  set("LOCAL_WORLD_SIZE", place.local_size);
  if (!has(variables, "MASTER_ADDR")) set("MASTER_ADDR", place.first_host);
  if (!has(variables, "MASTER_PORT")) set("MASTER_PORT", 29500);
  return variables;
}

/// Ends the service of this job. It may have ended by itself, or never have come to this node, and another one may have
/// its name by now, which is let be.
void stop_service(const job::Identity& service) {
  if (service.address.empty()) return;
  std::ostringstream unheard;
  try {
    stop(service.address, stop_limit_s, unheard, service.word);
  } catch (const Error&) {
  }
}

}  // namespace

bool is_of_launcher(const std::string& variable) {
  constexpr std::array<std::string_view, 14> beginnings{"OMPI_",
                                                        "OPAL_",
                                                        "ORTE_",
                                                        "PMIX_",
                                                        "PMI_",
                                                        "PRTE_",
                                                        "MPI_LOCAL",
                                                        "SLURM_PROCID=",
                                                        "SLURM_LOCALID=",
                                                        "SLURM_NTASKS",
                                                        "SLURM_NPROCS=",
                                                        "SLURM_STEP_NUM_TASKS=",
                                                        "SLURM_STEP_TASKS_PER_NODE=",
                                                        "SLURM_TASKS_PER_NODE="};
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return variable.starts_with(beginning); });
}

int start_trainer(const std::vector<std::string>& command) {
  Child::block_signals();
  const job::Launch launch(job::Role::starter);
  const auto place = find_place(launch.mine());
  const auto who = fmt::format("trainer {} on {}", place.rank, host_name());
  try {
    Child trainer(command, environment_of(place));
    if (const int code = trainer.wait(); code != 0) {
      if (trainer.was_asked_to_end()) _exit(code);  // by whoever ends the job
      fmt::print(stderr, "headrace: {} ended with exit code {}\n", who, code);
      mpi::Session::abort(code);
    }
  } catch (const Error& error) {
    fmt::print(stderr, "headrace: {}: {}\n", who, printable_message(error.what()));
    mpi::Session::abort(dynamic_cast<const UsageError*>(&error) ? 2 : 1);
  }
  Child::unblock_signals();
  for (mpi::Comm::Arrival all(launch.mine()); !all.complete();) std::this_thread::sleep_for(nap);
  if (place.local == 0) stop_service(launch.service());
  return 0;
}

config::Command run_command() {
  return {.name = "run",
          .usage = "-- COMMAND...",
          .summary = "Runs a trainer in the MPI job of the service.",
          .details =
              "  mpirun -n 2 headrace serve -c lcd.toml : -n 4 headrace run -- python train.py\n\n"
              "MPI waits for every process of its job, and trainers are none of MPI's: this one takes part in "
              "their stead. The trainer\nis its child, with RANK, WORLD_SIZE and LOCAL_RANK in the environment "
              "and nothing of MPI. One that fails ends the job;\nwhen all have ended the service is stopped.",
          .wraps = true,
          .run = [](const config::Arguments& arguments, config::Mistakes&) {
            if (arguments.positional.empty())
              throw UsageError(
                  "say which trainer to run: headrace run -- COMMAND..., as in headrace run -- python train.py");
            return start_trainer(arguments.positional);
          }};
}

}  // namespace headrace::commands
