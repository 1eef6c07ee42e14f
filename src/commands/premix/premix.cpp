#include "commands/premix/premix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "commands/premix/parts.hpp"
#include "commands/premix/scales.hpp"
#include "commands/writing/call.hpp"
#include "commands/writing/facts.hpp"
#include "commands/writing/file_writer.hpp"
#include "commands/writing/layout.hpp"
#include "commands/writing/place.hpp"
#include "commands/writing/session.hpp"
#include "commands/writing/verify.hpp"
#include "job/same_config.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::premix {

namespace {

namespace fs = std::filesystem;

std::string output_of(const config::OutputConfig& config, const writing::Orders& orders) {
  const auto path = orders.output.empty() ? config.premix.file : orders.output;
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
          {"/", "seed", origin.seed},
          {"/", "sources", origin.sources}};
}

/// The work of one call, in its order.
class Premix : public writing::Work {
 public:
  Premix(const config::OutputConfig& config, const writing::Orders& orders, const mpi::Comm& all,
         writing::Interrupts& interrupts)
      : config_(config), orders_(orders), all_(all), interrupts_(interrupts), path_(output_of(config, orders)) {}

  int run() override {
    const bool there = writing::is_there(all_, path_);
    if (there && orders_.verify && !orders_.force && !orders_.resume) {
      writing::verify(all_, path_);
      return 0;
    }
    mpi::together(all_, [&] {
      writing::require_no_other_writer(path_);
      require_free();
      if (!orders_.force) require_scales_of_training(config_, writing::stream_named(config_, orders_.stream));
    });
    writing::require_common_folder(all_, path_);
    if (const auto why = writing::other_order(config_, orders_.stream); !why.empty() && all_.rank() == 0)
      log::warn("{}", why);
    session_ =
        std::make_unique<writing::Session>(writing::staged(config_, orders_.stream, path_), all_, path_, interrupts_);
    interrupts_.before_writing(session_->staging().host(), [this] {
      if (parts_) parts_->unlink();
    });
    plan();
    session_->load();
    session_->keep(config_.premix.provenance);
    interrupts_.while_writing([this](const std::string& signal) { session_->stop(signal); });
    writing_ = true;
    const bool complete = write();
    if (!complete) return interrupted();
    tell_written();
    if (!orders_.verify) return 0;
    interrupts_.complete();
    writing::verify(all_, path_);
    return 0;
  }

  void cleanup(const std::string& why) override {
    if (parts_ && !writing_) parts_->discard();
    if (session_) session_->staging().host().farewell(why);
  }

 private:
  /// Asked once more when this run has the name that keeps others out: one that had it before may be done.
  void require_free() const {
    if (all_.rank() == 0) writing::require_free(path_, config_.premix.file_samples == 0, orders_.force, orders_.resume);
  }

  /// What is written, and where; nothing has been read yet.
  void plan() {
    auto& staging = session_->staging();
    const auto& blueprint = staging.blueprint();
    const auto& stream = writing::stream_named(config_, orders_.stream);
    parts_ = mpi::together(all_, [&] {
      return std::make_unique<Parts>(all_, config_, path_, writing::schema_of(staging, config_.premix.provenance),
                                     blueprint.streams[0].samples,
                                     attributes_of(writing::origin_of(config_, stream, blueprint.catalog)));
    });
    mpi::together(all_, [&] {
      require_free();
      if (all_.rank() == 0 && (orders_.force || orders_.resume)) parts_->find_old();
      writing::require_no_input(parts_->paths(), blueprint.catalog);
    });
    auto facts = writing::facts_of(config_, stream, blueprint.catalog, "premix");
    parts_->prepare(std::move(facts), orders_.resume, orders_.force);
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
    if (session_->any_stopped()) return false;
    parts_->finish();
    return true;
  }

  int interrupted() {
    const auto why = writing::agreed_reason(all_, session_->why_stopped());
    log::warn("stopped by {}: {} of {} are written; go on with --resume", why, format_bytes(parts_->bytes_done()),
              format_bytes(parts_->bytes()));
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
  const writing::Orders& orders_;
  const mpi::Comm& all_;
  writing::Interrupts& interrupts_;
  const std::string path_;
  std::unique_ptr<writing::Session> session_;
  std::unique_ptr<Parts> parts_;
  bool writing_ = false;
  std::uint64_t before_ = 0;
  double seconds_ = 0;
};

}  // namespace

int premix(const config::OutputConfig& config, const writing::Orders& orders) {
  return writing::call(config, "headrace premix", [&](const mpi::Comm& all, writing::Interrupts& interrupts) {
    job::require_same_config(all, config);
    return mpi::together(all, [&] { return std::make_unique<Premix>(config, orders, all, interrupts); });
  });
}

}  // namespace headrace::commands::premix
