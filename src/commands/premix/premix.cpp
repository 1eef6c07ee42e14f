#include "commands/premix/premix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "commands/premix/file_writer.hpp"
#include "commands/premix/layout.hpp"
#include "commands/premix/parts.hpp"
#include "commands/premix/scales.hpp"
#include "commands/premix/verify.hpp"
#include "commands/writing/facts.hpp"
#include "commands/writing/place.hpp"
#include "commands/writing/session.hpp"
#include "job/launch.hpp"
#include "job/same_config.hpp"
#include "job/signals.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"
#include "mpi/patience.hpp"

namespace headrace::commands::premix {

namespace {

namespace fs = std::filesystem;

std::string output_of(const config::OutputConfig& config, const Options& options) {
  const auto path = options.output.empty() ? config.premix.file : options.output;
  if (path.empty())
    throw UsageError("premix writes a file, and none is named; give -o FILE, or file = \"FILE\" in [premix]");
  if (fs::is_directory(path)) throw UsageError(fmt::format("'{}' is a folder; name a file in it", path));
  return path;
}

std::vector<h5::NewAttribute> attributes_of(const writing::Origin& origin) {
  return {{"/", "headrace_version", std::string(HEADRACE_VERSION)},
          {"/", "config", origin.config},
          {"/", "stream", origin.stream},
          {"/", "epoch", std::int64_t{0}},
          {"/", "seed", static_cast<std::int64_t>(origin.seed)},
          {"/", "sources", origin.sources}};
}

/// The work of one call, in its order.
class Premix {
 public:
  Premix(const config::OutputConfig& config, const Options& options, const mpi::Comm& all, job::Signals& signals)
      : config_(config), options_(options), all_(all), signals_(signals), path_(output_of(config, options)) {}

  int run() {
    const bool there = all_.bcast(fs::exists(path_) ? "y" : "n") == "y";
    if (there && options_.verify && !options_.force && !options_.resume) {
      verify(all_, path_);
      return 0;
    }
    mpi::together(all_, [&] {
      require_free(there);
      if (!options_.force) require_scales_of_training(config_, writing::stream_named(config_, options_.stream));
    });
    writing::require_common_folder(all_, path_);
    session_ = std::make_unique<writing::Session>(writing::staged(config_, options_.stream, path_), all_);
    say_farewell();
    plan();
    session_->load();
    session_->keep(config_.premix.provenance);
    signals_.on_end([](const std::string& signal) { log::info("ended by {}; go on with --resume", signal); });
    signals_.on_stop([this](const std::string& signal) {
      session_->stop(signal);
      return true;
    });
    writing_ = true;
    const bool complete = write();
    signals_.on_stop(nullptr);
    if (!complete) return interrupted();
    tell_written();
    if (options_.verify) verify(all_, path_);
    return 0;
  }

  void cleanup(const std::string& why) {
    signals_.on_stop(nullptr);
    if (parts_ && !writing_) parts_->discard();
    if (session_) session_->staging().host().farewell(why);
  }

 private:
  void require_free(bool there) const {
    if (all_.rank() != 0) return;
    const auto part = formats::part_of(path_);
    if (options_.resume) {
      if (there && !formats::has_journal(part))
        throw UsageError(fmt::format("'{}' is complete (there is nothing to resume); check it with --verify", path_));
      require(formats::has_journal(part) || formats::has_journal(part + ".old"),
              fmt::format("there is nothing to resume: {}.json is not there; run without --resume", part));
      return;
    }
    if (options_.force) return;
    if (there)
      throw UsageError(fmt::format("'{}' exists (it would be lost); name another file, or give --force", path_));
    if (formats::has_journal(part) || formats::has_journal(part + ".old"))
      throw UsageError(
          fmt::format("'{}' is what an earlier run left; go on with --resume, or begin anew with --force", part));
  }

  void say_farewell() {
    mpi::patience().farewell = [this](const std::string& why) { session_->staging().host().farewell(why); };
    signals_.on_end([this](const std::string& signal) {
      log::info("ended by {} before anything was written", signal);
      if (parts_) parts_->unlink();
    });
    signals_.on_report([this] { session_->staging().host().show_state(); });
  }

  /// What is written, and where; nothing has been read yet.
  void plan() {
    auto& staging = session_->staging();
    const auto& blueprint = staging.blueprint();
    const auto& stream = writing::stream_named(config_, options_.stream);
    mpi::together(all_, [&] { writing::require_no_input(path_, blueprint.catalog); });
    parts_ = mpi::together(all_, [&] {
      return std::make_unique<Parts>(all_, config_, path_, writing::schema_of(staging, config_.premix.provenance),
                                     blueprint.streams[0].samples,
                                     attributes_of(writing::origin_of(config_, stream, blueprint.catalog)));
    });
    auto facts = writing::facts_of(config_, stream, blueprint.catalog, "premix");
    parts_->prepare(std::move(facts), options_.resume, options_.force);
  }

  bool write() {
    const auto begin = Clock::now();
    before_ = parts_->bytes_before();
    session_->begin_progress(parts_->bytes(), before_, parts_->row_bytes());
    const bool complete = parts_->write(*session_);
    session_->end_progress();
    seconds_ = all_.max(seconds_since(begin));
    if (!complete) return false;
    parts_->write_dictionaries(*session_);
    if (session_->stopped()) return false;
    parts_->finish();
    return true;
  }

  int interrupted() {
    std::string why = session_->why_stopped();
    for (const auto& other : all_.allgather(why))
      if (why.empty()) why = other;
    log::warn("stopped by {}: {} of {} are written; go on with --resume", why.empty() ? "another stager" : why,
              format_bytes(parts_->bytes_done()), format_bytes(parts_->bytes()));
    session_->staging().host().tell("interrupted", {{"reason", why}, {"file", path_}});
    return 1;
  }

  void tell_written() {
    const auto bytes = parts_->bytes() - before_;
    log::info("wrote {}: {} samples, {} in {:.2f} s ({})", path_, parts_->samples(), format_bytes(bytes), seconds_,
              format_rate(static_cast<double>(bytes), seconds_));
    session_->staging().host().tell(
        "written", {{"file", path_}, {"samples", parts_->samples()}, {"bytes", bytes}, {"seconds", seconds_}});
  }

  const config::OutputConfig& config_;
  const Options& options_;
  const mpi::Comm& all_;
  job::Signals& signals_;
  const std::string path_;
  std::unique_ptr<writing::Session> session_;
  std::unique_ptr<Parts> parts_;
  bool writing_ = false;
  std::uint64_t before_ = 0;
  double seconds_ = 0;
};

}  // namespace

int premix(const config::OutputConfig& config, const Options& options) {
  job::Signals::block();
  job::Signals signals;
  const job::Launch launch(config, {.title = "headrace premix", .quiet = config.quiet, .verbose = config.verbose});
  std::unique_ptr<Premix> work;
  const auto forget = [&] {
    signals.on_stop(nullptr);
    signals.on_end(nullptr);
    signals.on_report(nullptr);
    mpi::patience().farewell = nullptr;
  };
  return launch.run(
      config,
      [&] {
        job::require_same_config(launch.mine(), config);
        work = mpi::together(launch.mine(),
                             [&] { return std::make_unique<Premix>(config, options, launch.mine(), signals); });
        const int code = work->run();
        forget();
        return launch.speaks() ? code : 0;
      },
      [&](const Error& error) {
        forget();
        if (work) work->cleanup(error.what());
      });
}

}  // namespace headrace::commands::premix
