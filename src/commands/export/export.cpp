#include "commands/export/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/user_file.hpp"
#include "commands/export/folder.hpp"
#include "commands/export/make_format.hpp"
#include "commands/export/shard_run.hpp"
#include "commands/writing/call.hpp"
#include "commands/writing/facts.hpp"
#include "commands/writing/place.hpp"
#include "commands/writing/session.hpp"
#include "job/same_config.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::exporting {

namespace {

/// The work of one call, in its order.
class Export : public writing::Work {
 public:
  Export(const config::OutputConfig& config, const writing::Orders& orders, const mpi::Comm& all,
         writing::Interrupts& interrupts)
      : config_(config), orders_(orders), all_(all), interrupts_(interrupts), folder_(orders.output) {}

  int run() override {
    mpi::together(all_, [&] {
      writing::require_no_other_writer(folder_.path());
      if (all_.rank() == 0) folder_.require_free(orders_.force, orders_.resume);
    });
    writing::require_common_folder(all_, folder_.path());
    if (const auto why = writing::other_order(config_, orders_.stream); !why.empty() && all_.rank() == 0)
      log::warn("{}", why);
    session_ = std::make_unique<writing::Session>(writing::staged(config_, orders_.stream, folder_.path()), all_,
                                                  folder_.path(), interrupts_);
    interrupts_.before_writing(session_->staging().host(), [this] { discard(); });
    plan();
    session_->load();
    session_->keep(false);
    interrupts_.while_writing([this](const std::string& signal) { session_->stop(signal); });
    const bool complete = write();
    if (!complete) return interrupted();
    finish();
    return 0;
  }

  void cleanup(const std::string& why) override {
    discard();
    if (session_) session_->staging().host().farewell(why);
  }

 private:
  const config::StreamConfig& stream() const { return writing::stream_named(config_, orders_.stream); }

  /// Takes away what was begun, unless there is something in it.
  void discard() {
    if (all_.rank() == 0 && prepared_ && !keep_ && shards_before_ == 0 && shards_done_ == 0) folder_.discard();
  }

  void plan() {
    const auto& blueprint = session_->staging().blueprint();
    samples_ = blueprint.streams[0].samples;
    format_ = mpi::together(all_, [&] { return make_format(config_, blueprint.schema, folder_.path(), samples_); });
    auto facts = writing::facts_of(config_, stream(), blueprint.catalog, "export");
    finished_.assign(shards_of(samples_, config_.exported.chunk_size), false);
    std::string found(finished_.size(), 'n');
    mpi::together(all_, [&] {
      if (all_.rank() != 0) return;
      // Once more: another run may have come and gone before the name was ours.
      folder_.require_free(orders_.force, orders_.resume);
      // Of what is compressed nobody knows the size before.
      if (config_.exported.compression.how == config::Compression::How::none)
        writing::require_room(folder_.path(), samples_ * format_->row_bytes(), folder_.bytes());
      std::vector<std::string> fields;
      for (const auto& field : blueprint.schema) fields.push_back(field.name);
      for (const auto shard : folder_.prepare(facts, fields, orders_.force, orders_.resume))
        if (shard < found.size() && is_there(shard)) found[shard] = 'y';
    });
    prepared_ = true;
    found = all_.bcast(found);
    for (std::size_t shard = 0; shard < found.size(); ++shard) finished_[shard] = found[shard] == 'y';
    shards_before_ = static_cast<std::uint64_t>(std::count(finished_.begin(), finished_.end(), true));
    constexpr std::size_t usual_most = 9999;
    if (finished_.size() > usual_most && all_.rank() == 0)
      log::warn(
          "{} files: their numbers have {} digits, so that they stand in order by name; a larger chunk-size makes "
          "fewer",
          finished_.size(), std::to_string(finished_.size()).size());
  }

  /// What the journal has may be gone since: by a power cut before it had its name, or by somebody.
  bool is_there(std::uint64_t shard) const {
    const auto files = format_->files_of(shard);
    return std::all_of(files.begin(), files.end(), [](const auto& path) { return std::filesystem::exists(path); });
  }

  bool write() {
    const auto begin = Clock::now();
    const auto row = format_->row_bytes();
    session_->begin_progress(samples_ * row, std::min(samples_, shards_before_ * config_.exported.chunk_size) * row,
                             row);
    const auto failure = write_shards();
    session_->wait_for_all();
    session_->end_progress();
    shards_done_ = all_.sum(shards_done_);
    seconds_ = all_.max(seconds_since(begin));
    bool no_room = false;
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const formats::WriteFailed&) {
      no_room = true;
    } catch (...) {  // told below
    }
    keep_ = all_.sum(std::uint64_t{no_room ? 1u : 0u}) > 0;
    mpi::together(all_, [&] {
      if (!failure) return;
      try {
        std::rethrow_exception(failure);
      } catch (const formats::WriteFailed& error) {
        throw Error(fmt::format("{}; {} of {} files are written: make room and go on with --resume", error.what(),
                                shards_before_ + shards_done_, finished_.size()));
      }
    });
    return shards_before_ + shards_done_ == finished_.size();
  }

  /// What failed. Leaves in shards_done_ those of this stager, which is what cleanup() knows where the others cannot be
  /// waited for.
  std::exception_ptr write_shards() {
    std::exception_ptr failure;
    std::optional<ShardRun> run;
    try {
      run.emplace(*session_, *format_, folder_, finished_, config_.exported.chunk_size, samples_);
      failure = run->go();
    } catch (...) {
      failure = std::current_exception();
    }
    if (run) shards_done_ = run->shards_done();
    return failure;
  }

  int interrupted() {
    const auto why = writing::agreed_reason(all_, session_->why_stopped());
    log::warn("stopped by {}: {} of {} files are written; go on with --resume", why, shards_before_ + shards_done_,
              finished_.size());
    session_->staging().host().tell("interrupted", {{"reason", why}, {"folder", folder_.path()}});
    return 1;
  }

  void finish() {
    mpi::together(all_, [&] {
      if (all_.rank() != 0) return;
      try {
        for (const auto& [path, text] : format_->other_files()) folder_.write(path, text);
        folder_.write("metadata.json", metadata());
      } catch (const Error& error) {
        throw Error(fmt::format("{}; all samples are written: then go on with --resume", error.what()));
      }
      folder_.complete();
    });
    const auto bytes = mpi::together(all_, [&] { return all_.rank() == 0 ? folder_.bytes() : std::uint64_t{0}; });
    log::info("wrote {}: {} samples in {} files, {} in {:.2f} s ({})", folder_.path(), samples_, finished_.size(),
              format_bytes(bytes), seconds_, format_rate(static_cast<double>(bytes), seconds_));
    session_->staging().host().tell(
        "written", {{"folder", folder_.path()}, {"samples", samples_}, {"bytes", bytes}, {"seconds", seconds_}});
  }

  std::string metadata() const {
    const auto& blueprint = session_->staging().blueprint();
    const auto origin = writing::origin_of(config_, stream(), blueprint.catalog);
    nlohmann::ordered_json json;
    json["n_jets"] = samples_;
    format_->describe(json);
    json["headrace_version"] = HEADRACE_VERSION;
    json["stream"] = origin.stream;
    json["seed"] = origin.seed;
    json["epoch"] = 0;
    json["samples"] = samples_;
    json["chunk_size"] = config_.exported.chunk_size;
    json["config"] = nlohmann::ordered_json::parse(origin.config);
    json["sources"] = nlohmann::ordered_json::parse(origin.sources);
    return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }

  const config::OutputConfig& config_;
  const writing::Orders& orders_;
  const mpi::Comm& all_;
  writing::Interrupts& interrupts_;
  Folder folder_;
  std::unique_ptr<writing::Session> session_;
  std::unique_ptr<Format> format_;
  std::vector<bool> finished_;
  std::uint64_t samples_ = 0, shards_before_ = 0, shards_done_ = 0;
  bool prepared_ = false, keep_ = false;
  double seconds_ = 0;
};

}  // namespace

int export_stream(const config::OutputConfig& config, const writing::Orders& orders) {
  return writing::call(config, "headrace export", [&](const mpi::Comm& all, writing::Interrupts& interrupts) {
    job::require_same_config(all, config);
    return std::make_unique<Export>(config, orders, all, interrupts);
  });
}

}  // namespace headrace::commands::exporting
