#include "commands/pack/pack.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "commands/pack/completion.hpp"
#include "commands/pack/inventory_blocks.hpp"
#include "commands/pack/provenance.hpp"
#include "commands/writing/call.hpp"
#include "commands/writing/claim.hpp"
#include "commands/writing/file_writer.hpp"
#include "commands/writing/meter.hpp"
#include "commands/writing/place.hpp"
#include "commands/writing/session.hpp"
#include "commands/writing/verify.hpp"
#include "data/selection/reading.hpp"
#include "data/selection/scan_files.hpp"
#include "data/selection/scan_settings.hpp"
#include "inventory/scan.hpp"
#include "job/neighbours.hpp"
#include "job/node_links.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"
#include "service/blueprint/memory.hpp"
#include "service/host/host.hpp"

namespace headrace::commands::pack {

namespace {

constexpr std::uint64_t block_bytes = 4 << 20, most_block_rows = 1 << 10;  // what a kill may cost
constexpr std::uint64_t most_slice_bytes = 256 << 20;

/// The work of one call, in its order.
class Pack : public writing::Work {
 public:
  Pack(const config::Config& config, const writing::Orders& orders, const mpi::Comm& all,
       writing::Interrupts& interrupts)
      : config_(config),
        orders_(orders),
        interrupts_(interrupts),
        named_(writing::named_for(config, orders.output)),
        topology_(job::Topology::discover(all, config.split_nodes)),
        threads_(data::selection::worker_count(config.threads, topology_.stagers_on_host)),
        skip_(config.inventory.missing == config::MissingFiles::skip),
        part_(formats::part_of(orders.output)) {}

  int run() override {
    const bool there = writing::is_there(all_, orders_.output);
    if (there && orders_.verify && !orders_.force && !orders_.resume) {
      writing::verify(all_, orders_.output);
      return 0;
    }
    mpi::together(all_, [&] {
      writing::require_no_other_writer(orders_.output);
      if (is_first()) writing::require_free(orders_.output, true, orders_.force, orders_.resume);
    });
    writing::require_common_folder(all_, orders_.output);
    meet();
    look();
    prepare();
    interrupts_.while_writing([this](const std::string& signal) { stop(signal); });
    writing_ = true;
    const bool complete = write();
    interrupts_.after_writing();  // a file that lacks samples is copied without their rows, however long that takes
    if (!complete) return interrupted();
    const auto left_out = completion_->run();
    orders_.verify ? interrupts_.complete() : interrupts_.forget();
    tell_written(left_out);
    if (orders_.verify) writing::verify(all_, orders_.output);
    return 0;
  }

  void cleanup(const std::string& why) override {
    if (writer_ && !writing_) writer_->discard();
    if (is_first() && !formats::has_journal(part_)) remove_failures(part_);
    if (host_) host_->farewell(why);
  }

 private:
  bool is_first() const { return all_.rank() == 0; }
  const inventory::Inventory& inventory() const { return dynamic_cast<const inventory::Source&>(*rows_).inventory(); }

  /// The name first: a second one that writes the same ends here.
  void meet() {
    host_ = mpi::together(all_, [&] {
      auto host = writing::host_of_writer(named_, topology_, orders_.output);
      host->start();
      return host;
    });
    auto links = mpi::together(all_, [&] { return job::NodeLinks::make(topology_); });
    host_->meet(std::move(links), job::find_neighbours(topology_, config_.node_timeout));
    claim_ = writing::claim_output(all_, orders_.output, interrupts_);
    interrupts_.before_writing(*host_, [this] {
      if (writer_) writer_->unlink();
    });
  }

  /// What is packed. Collective.
  void look() {
    host_->loading("looking at the samples", -1);
    auto options = data::selection::load_options(config_, threads_);
    options.refused = [this](std::uint64_t, const std::string&) { return skip_; };
    auto contents = data::selection::scan_files(config_, topology_).contents;
    rows_ = contents[0].rows;
    for (const auto& note : data::selection::virtual_notes(contents))
      if (is_first()) log::warn("{}", note.text);
    auto plans = data::fields::plan_fields(config_, contents, all_, options);
    for (const auto& warning : plans.warnings)
      if (is_first()) log::warn("{}", warning);
    mpi::together(all_, [&] { require_packable(plans); });
    slices_ = mpi::together(
        all_, [&] { return std::make_unique<Slices>(std::move(contents), std::move(plans), std::move(options)); });
    for (const auto& field : slices_->fields())
      for (const auto& note : field.notes)
        if (is_first()) log::warn("field {}: {}", slices_->schema()[field.array].name, note);
    host_->tell("start", {{"samples", slices_->samples()}, {"stagers", topology_.stagers()}, {"file", orders_.output}});
  }

  static void require_packable(const data::fields::FieldPlans& plans) {
    for (const auto& field : plans.fields)
      if (!field.by_class.empty())
        throw UsageError(fmt::format(
            "[field.{}] tells the class that a stream takes a sample for, and pack writes no stream; take a column of "
            "the table (source = \"@csv.COLUMN\"), or write a stream with 'headrace premix'",
            plans.schema[field.array].name));
    for (const auto& field : plans.schema)
      if (field.name == ids_path || field.name.starts_with(std::string(ids_path) + "/"))
        throw UsageError(
            fmt::format("[field.{}] '{}' is what the samples' ids are called in the file; name the field otherwise",
                        field.name, ids_path));
  }

  /// The file that is made, or was begun. Collective.
  void prepare() {
    const auto& schema = slices_->schema();
    auto layout = mpi::together(all_, [&] { return layout_of(schema, slices_->samples()); });
    row_bytes_ = layout.row_bytes();
    block_rows_ = std::bit_floor(
        std::clamp<std::uint64_t>(block_bytes / std::max<std::uint64_t>(row_bytes_, 1), 1, most_block_rows));
    auto facts = facts_of(config_, inventory(), schema);
    facts["rows of a block"] = std::to_string(block_rows_);
    const writing::Job job{.path = orders_.output,
                           .first = 0,
                           .samples = slices_->samples(),
                           .compression = {},
                           .chunk = 0,
                           .block_rows = block_rows_,
                           .attributes = attributes_of(config_, inventory(), layout),
                           .keep = true};
    writer_ = mpi::together(all_, [&] { return std::make_unique<writing::FileWriter>(all_, job, layout); });
    completion_ = std::make_unique<Completion>(all_, inventory(), schema, job, facts, *writer_);
    mpi::together(all_, [&] {
      writing::require_no_input(orders_.output, slices_->catalog());
      if (!is_first()) return;
      completion_->require_no_input();
      make_room(facts);
    });
    writer_->prepare(facts, orders_.resume);
    mpi::together(all_, [&] {
      if (is_first() && orders_.resume) take_up_failures();
    });
    log::info("{} samples of {} each into {}{}; {} stager{}, {} worker{} each", slices_->samples(),
              format_bytes(static_cast<double>(row_bytes_)), orders_.output,
              writer_->rows_before() > 0 ? fmt::format(", of which {} are written", writer_->rows_before()) : "",
              topology_.stagers(), topology_.stagers() == 1 ? "" : "s", threads_, threads_ == 1 ? "" : "s");
    for (const auto& field : schema)
      log::info("  field {}: {} {}", field.name, name_of(field.dtype),
                fmt::format("({})", fmt::join(field.shape, ", ")));
    log::info("  files: {}", rows_->how());
  }

  /// What is begun can be, and nothing stands in its way. One stager.
  void make_room(const formats::Facts& facts) const {
    // Once more: another run may have come and gone before the name was ours.
    writing::require_free(orders_.output, true, orders_.force, orders_.resume);
    if (orders_.resume) formats::require_same_facts(part_, facts);
    writing::require_room(orders_.output, slices_->samples() * row_bytes_ + bytes_of_ids(inventory()),
                          writing::allocated(part_));
    if (!orders_.resume) remove_failures(part_);
    completion_->remove_kept();
  }

  /// Those whose blocks are written stay left out; the others are tried again.
  void take_up_failures() const {
    const auto written = formats::read_blocks(part_);
    keep_failures(part_, [&](std::uint64_t row) { return written.count(row / block_rows_) != 0; });
    const auto failed = read_failures(part_);
    if (!failed.empty() && !skip_)
      throw UsageError(fmt::format(
          "{} samples were left out by the earlier run (missing = \"skip\" in [inventory]); set that again, "
          "or begin anew with --force",
          failed.size()));
  }

  std::uint64_t most_slice_rows() const {
    auto memory = service::blueprint::available_memory().available;
    if (config_.memory > 0) memory = std::min(memory, config_.memory);
    constexpr std::uint64_t parts = 4;  // two slices, and what readers hold
    return std::max<std::uint64_t>(1, std::min(most_slice_bytes, memory / (parts * topology_.stagers_on_host)) /
                                          std::max<std::uint64_t>(1, row_bytes_));
  }

  std::uint64_t blocks_written() const { return formats::read_blocks(part_).size(); }

  /// False: it was stopped.
  bool write() {
    const auto begin = Clock::now();
    const auto bytes = slices_->samples() * row_bytes_;
    writing::Meter meter(*host_, is_first() && !config_.quiet,
                         {bytes, writer_->rows_before() * row_bytes_, row_bytes_});
    writing::Muster muster(all_);
    Failures failures(part_, topology_.me());
    InventoryBlocks blocks(*slices_, failures, muster,
                           {.threads = threads_,
                            .most_rows = most_slice_rows(),
                            .skip = skip_,
                            // Blocks are dealt out evenly: the others are about as far.
                            .told = [&](std::uint64_t rows) { meter.at(rows * topology_.stagers()); },
                            .written = [this] { return blocks_written(); }});
    {
      const Lock lock(mutex_);
      stop_ = [&blocks] { blocks.stop(); };
      if (!why_stopped_.empty()) blocks.stop();
    }
    struct Forget {
      Pack& pack;
      ~Forget() {
        const Lock lock(pack.mutex_);
        pack.stop_ = nullptr;
      }
    } const forget{*this};
    const bool complete = writer_->write(blocks);
    seconds_ = all_.max(seconds_since(begin));
    rows_->rest();
    return complete;
  }

  /// Any thread.
  void stop(const std::string& why) {
    const Lock lock(mutex_);
    if (why_stopped_.empty()) why_stopped_ = why;
    if (stop_) stop_();
  }

  int interrupted() {
    const auto mine = [&] {
      const Lock lock(mutex_);
      return why_stopped_;
    }();
    const auto why = writing::agreed_reason(all_, mine);
    log::warn("stopped by {}: {} of {} samples are written; go on with --resume", why, writer_->rows_done(),
              slices_->samples());
    host_->tell("interrupted", {{"reason", why}, {"file", orders_.output}});
    return 1;
  }

  void tell_written(std::uint64_t lost) {
    const auto rows = slices_->samples() - writer_->rows_before();
    const auto bytes = static_cast<double>(rows * row_bytes_);
    log::info("wrote {}: {} samples; {} files, {} in {:.2f} s ({:.0f} files/s, {})", orders_.output,
              slices_->samples() - lost, rows, format_bytes(bytes), seconds_,
              static_cast<double>(rows) / std::max(seconds_, 1e-9), format_rate(bytes, seconds_));
    host_->tell("written", {{"file", orders_.output},
                            {"samples", slices_->samples() - lost},
                            {"left_out", lost + inventory().left_out.size()},
                            {"bytes", rows * row_bytes_},
                            {"seconds", seconds_}});
  }

  const config::Config& config_;
  const writing::Orders& orders_;
  writing::Interrupts& interrupts_;
  const config::Config named_;
  job::Topology topology_;
  const mpi::Comm& all_ = topology_.all;
  const unsigned threads_;
  const bool skip_;
  const std::string part_;
  std::unique_ptr<service::host::Host> host_;
  std::shared_ptr<writing::Claim> claim_;  // at the first stager
  std::shared_ptr<const catalog::RowSource> rows_;
  std::unique_ptr<Slices> slices_;
  std::unique_ptr<writing::FileWriter> writer_;
  std::unique_ptr<Completion> completion_;
  std::uint64_t row_bytes_ = 0, block_rows_ = 1;
  bool writing_ = false;
  double seconds_ = 0;
  Mutex mutex_;
  std::string why_stopped_ GUARDED_BY(mutex_);
  std::function<void()> stop_ GUARDED_BY(mutex_);
};

}  // namespace

int pack(const config::Config& config, const writing::Orders& orders) {
  return writing::call(config, "headrace pack", [&](const mpi::Comm& all, writing::Interrupts& interrupts) {
    return std::make_unique<Pack>(config, orders, all, interrupts);
  });
}

}  // namespace headrace::commands::pack
