#include "commands/writing/session.hpp"

#include <fmt/format.h>
#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "ipc/socket.hpp"
#include "mpi/patience.hpp"

namespace headrace::commands::writing {

const config::StreamConfig& stream_named(const config::Config& config, const std::string& name) {
  if (name.empty() && config.streams.size() == 1) return config.streams[0];
  const auto wanted = name.empty() ? "train" : name;
  std::vector<std::string> names;
  for (const auto& stream : config.streams) {
    if (stream.name == wanted) return stream;
    names.push_back(stream.name);
  }
  throw UsageError(
      fmt::format("--stream: the configuration has no stream '{}'{}", wanted, did_you_mean(wanted, names)));
}

namespace {

constexpr std::chrono::seconds name_settles{1};  // who takes a name answers there at once
constexpr std::chrono::milliseconds look_again{10};

/// The same for all ways to a folder. Of a file only its name counts: a link is replaced, not followed. Begins with a dot:
/// it is in no list of services, where 'headrace stop' without a name would find it.
std::string name_of_writer(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code unseen;
  const auto whole = fs::absolute(path).lexically_normal();
  auto folder = fs::weakly_canonical(fs::absolute(path).parent_path(), unseen);
  if (unseen) folder = whole.parent_path();
  auto place = folder / whole.filename();
  if (fs::is_directory(whole, unseen)) place = fs::weakly_canonical(whole, unseen);  // written into, also through a link
  return fmt::format(".write-{:016x}", std::hash<std::string>()(place.string()));
}

[[noreturn]] void tell_of_other(const std::string& path, const std::string& who) {
  throw UsageError(
      fmt::format("'{}' is being written by another run ({}); wait for its end, or name another", path, who));
}

std::string text_of(pid_t pid) {
  return fmt::format("pid {}", pid);
}

}  // namespace

config::Config named_for(config::Config config, const std::string& path) {
  config.socket.clear();
  config.metrics.clear();
  config.name = name_of_writer(path);
  return config;
}

void require_no_other_writer(const std::string& path) {
  if (const auto other = ipc::Connection::connect(ipc::Address(name_of_writer(path))))
    tell_of_other(path, text_of(other->peer().pid));
}

std::unique_ptr<service::host::Host> host_of_writer(const config::Config& named, const job::Topology& topology,
                                                    const std::string& path) {
  try {
    return std::make_unique<service::host::Host>(named, topology, "", EXIT_FAILURE);
  } catch (const ipc::NameTaken& taken) {
    // Of two that begin at once both found the name free, and one of them has it now.
    if (taken.holder != 0) tell_of_other(path, text_of(taken.holder));
  }
  for (const auto until = Clock::now() + name_settles; Clock::now() < until; std::this_thread::sleep_for(look_again))
    require_no_other_writer(path);
  tell_of_other(path, "it is just beginning or ending, or another user's process has its name");
}

config::Config staged(config::Config config, const std::string& stream, const std::string& path) {
  auto one = stream_named(config, stream);
  one.batch = 1;  // rings for trainers are made, but nobody comes
  one.global_batch.reset();
  one.epochs = 1;
  config.streams = {std::move(one)};
  config.slots = 2;
  config.trainers_per_node = 1;
  return named_for(std::move(config), path);
}

std::string other_order(const config::Config& config, const std::string& stream) {
  const auto& written = stream_named(config, stream);
  const auto shuffled = std::ranges::count(config.streams, plan::Shuffle::global, &config::StreamConfig::shuffle);
  const bool shares = config.window.kind == config::WindowConfig::Kind::bytes && shuffled > 1;
  if (!shares || written.shuffle != plan::Shuffle::global) return "";
  return fmt::format(
      "window = {0}: a service shares it among large streams, and here '{1}' has all of it; beside another large "
      "stream its order is not that of 'headrace serve' (give window as a number of blocks: each stream has its own)",
      format_bytes(config.window.amount), written.name);
}

Session::Session(const config::Config& config, const mpi::Comm& world, const std::string& path, Interrupts& interrupts)
    : staging_(config, world, service::Purpose::files,
               [&path](const config::Config& named, const job::Topology& topology) {
                 return host_of_writer(named, topology, path);
               }) {
  claim_ = claim_output(topology().all, path, interrupts);
  staging_.begin();
}

void Session::load() {
  staging_.reserve();
  staging_.load();
}

void Session::keep(bool provenance) {
  staging_.keep();
  rows_ = std::make_unique<Rows>(staging_, provenance);
}

void Session::run(BlockRun& run, const std::function<bool()>& pump) {
  run.start();
  bool ended = false;
  try {
    staging_.run_until([&] {
      if (stopped_) run.stop();
      ended = run.finished();  // before the pump: what was done before it is finished is then taken
      const bool idle = pump();
      tell_progress(run);
      return ended && idle;
    });
  } catch (const std::exception& error) {
    // Workers still write into what the caller holds, and some wait for rows that will not come.
    if (!run.finished() || topology().stagers() > 1)
      mpi::give_up(fmt::format("{}; what is written stays, go on with --resume", error.what()));
    throw;
  }
  rows_before_ += run.rows_done();
}

void Session::wait_for_all() {
  mpi::Comm::Arrival all(topology().all);
  staging_.run_until([&] { return all.complete(); });
}

void Session::stop(const std::string& why) {
  {
    const Lock lock(mutex_);
    if (why_.empty()) why_ = why;
  }
  stopped_ = true;
  staging_.wake();
}

bool Session::any_stopped() const {
  return topology().all.max(std::uint64_t{stopped_ ? 1u : 0u}) > 0;
}

std::string Session::why_stopped() const {
  const Lock lock(mutex_);
  return why_;
}

void Session::begin_progress(std::uint64_t total_bytes, std::uint64_t done_bytes, std::uint64_t bytes_per_row) {
  rows_before_ = 0;
  meter_ = std::make_unique<Meter>(staging_.host(), topology().me() == 0 && !staging_.config().quiet,
                                   Meter::Amount{total_bytes, done_bytes, bytes_per_row});
}

void Session::end_progress() {
  meter_.reset();
}

void Session::tell_progress(const BlockRun& run) {
  // Blocks are dealt out evenly: the others are about as far.
  if (meter_) meter_->at((rows_before_ + run.rows_done()) * topology().stagers());
}

}  // namespace headrace::commands::writing
