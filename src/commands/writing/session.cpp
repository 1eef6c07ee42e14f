#include "commands/writing/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace headrace::commands::writing {

namespace {
constexpr auto log_every = std::chrono::seconds(5);
}  // namespace

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

config::Config staged(config::Config config, const std::string& stream, const std::string& path) {
  auto one = stream_named(config, stream);
  one.batch = 1;  // rings for trainers are made, but nobody comes
  one.global_batch.reset();
  one.epochs = 1;
  config.streams = {std::move(one)};
  config.slots = 2;
  config.trainers_per_node = 1;
  config.socket.clear();
  config.metrics.clear();
  config.name = fmt::format("write-{:016x}",
                            std::hash<std::string>()(std::filesystem::absolute(path).lexically_normal().string()));
  return config;
}

Session::Session(const config::Config& config, const mpi::Comm& world)
    : staging_(config, world, service::Purpose::files) {
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
  staging_.run_until([&] {
    if (stopped_) run.stop();
    ended = run.finished();  // before the pump: what was done before it is finished is then taken
    const bool idle = pump();
    tell_progress(run);
    return ended && idle;
  });
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

std::string Session::why_stopped() const {
  const Lock lock(mutex_);
  return why_;
}

void Session::begin_progress(std::uint64_t total_bytes, std::uint64_t done_bytes, std::uint64_t bytes_per_row) {
  total_ = total_bytes;
  before_ = done_bytes;
  row_bytes_ = bytes_per_row;
  rows_before_ = 0;
  staging_.host().loading("writing", 0);
  progress_ = std::make_unique<service::loading::Progress>(
      topology().me() == 0 && !staging_.config().quiet,
      [this](double fraction) {
        staging_.host().loading("writing", fraction);
        const auto now = Clock::now();
        if (now - told_at_ < log_every) return;
        told_at_ = now;
        staging_.host().tell(
            "writing",
            {{"bytes", before_ + static_cast<std::uint64_t>(fraction * static_cast<double>(total_ - before_))},
             {"total", total_}});
      },
      "writing");
}

void Session::end_progress() {
  progress_.reset();
}

void Session::tell_progress(const BlockRun& run) {
  if (!progress_) return;
  // Blocks are dealt out evenly: the others are about as far.
  const auto done = (rows_before_ + run.rows_done()) * row_bytes_ * topology().stagers();
  progress_->at(std::min(done, total_ - before_), total_ - before_);
}

}  // namespace headrace::commands::writing
