#include "commands/bench/trainers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/process_start.hpp"

extern char** environ;

namespace headrace::commands::bench {

namespace {

std::pair<ipc::Fd, ipc::Fd> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  return {ipc::Fd(ends[0]), ipc::Fd(ends[1])};
}

std::string trainer_program() {
  const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "headrace-trainer";
  require(std::filesystem::exists(beside), beside.string() + " is missing; install it with headrace");
  return beside.string();
}

/// The child starts with default signal handling: ours blocks what ends a stager.
int spawn(const std::vector<std::string>& words, int in, int out) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  const auto usual = signals_to_restore();
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int outcome = posix_spawn(&pid, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  require(outcome == 0, errno_text("posix_spawn " + words[0], outcome));
  return pid;
}

}  // namespace

BenchTrainer::BenchTrainer(const std::string& service, const std::string& stream, std::uint32_t rank,
                           std::uint32_t world_size, std::uint32_t local_rank) {
  auto [child_in, to] = make_pipe();
  auto [from, child_out] = make_pipe();
  pid_ = spawn({trainer_program(), service, stream, std::to_string(rank), std::to_string(world_size),
                std::to_string(local_rank)},
               child_in.get(), child_out.get());
  to_ = std::move(to);
  from_ = std::move(from);
}

BenchTrainer::~BenchTrainer() {
  to_.close();
  for (int i = 0; i < 200; ++i) {
    if (waitpid(pid_, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void BenchTrainer::take(std::uint64_t batches, double compute_seconds) {
  const auto line = fmt::format("{} {:.0f}\n", batches, 1e6 * compute_seconds);
  require(write(to_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()),
          "a bench trainer ended too early");
}

TrainerRound BenchTrainer::finish() {
  std::array<char, 65536> chunk{};
  auto end = pending_.find('\n');
  while (end == std::string::npos) {
    const auto got = read(from_.get(), chunk.data(), chunk.size());
    require(got > 0, "a bench trainer ended too early; see its message above");
    pending_.append(chunk.data(), static_cast<std::size_t>(got));
    end = pending_.find('\n');
  }
  std::istringstream line(pending_.substr(0, end));
  pending_.erase(0, end + 1);
  TrainerRound round;
  line >> round.seconds >> round.rows;
  for (double wait = 0; line >> wait;) round.wait_us.push_back(wait);
  return round;
}

}  // namespace headrace::commands::bench
