#include "service/loading/fill_store.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/contract.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"
#include "service/loading/join.hpp"
#include "service/loading/outside_validity.hpp"
#include "service/loading/progress.hpp"
#include "service/loading/store_sink.hpp"
#include "store/scratch_writer.hpp"

namespace headrace::service::loading {

namespace {

/// Long enough that opening files costs little, short enough that the first pane is soon on its way to the disk.
constexpr std::uint64_t most_pane_bytes = 64 << 20;

/// Rows of one pane. Tables are read as a whole for each: their rows come in no order.
reader::LoadReport fill_pane(const Filling& filling, StoreSink& sink, const Pane& pane,
                             const reader::LoadOptions& options) {
  const auto& [blueprint, topology, contents, all_options, gap] = filling;
  const auto intervals = intervals_to_read(blueprint.placement.stored(), topology.me(), pane.samples, gap);
  sink.fill_constants();
  sink.take_validity(
      read_outside_validity(blueprint.fields, {contents, blueprint.catalog.samples, blueprint.placement.stored(),
                                               topology, intervals, options, pane.first_row, pane.rows}));
  auto report = reader::load(topology.all, blueprint.catalog, intervals, sink, options);
  load_joins(blueprint, topology, contents, sink, options);
  return report;
}

void add(reader::LoadReport& sum, reader::LoadReport part) {
  const auto bytes = sum.bytes + part.bytes;
  const auto seconds = sum.seconds + part.seconds;
  if (sum.datasets.empty()) sum = std::move(part);
  sum.bytes = bytes;
  sum.seconds = seconds;
}

/// The rows of a stager that go to its disk.
class ScratchLoad {
 public:
  ScratchLoad(const Filling& filling, store::NodeStore& store)
      : filling_(filling),
        stager_(filling.topology.me()),
        scratch_(store.scratch()[filling.topology.local()]),
        in_memory_(rows_in_memory(filling.blueprint, filling.topology, store)),
        writer_(scratch_, store::writing_threads),
        options_(filling.options),
        file_row_bytes_(bytes_of_a_row(filling.blueprint.catalog)),
        progress_(filling.blueprint.placement.rows(stager_) * file_row_bytes_, filling.options.progress),
        joins_(std::ranges::any_of(filling.blueprint.fields, [](const auto& plan) { return plan.join.has_value(); })) {
    cut();
    options_.progress = [this](std::uint64_t done, std::uint64_t total) { progress_.at(done, total); };
  }

  /// Collective.
  reader::LoadReport run() {
    const auto& all = filling_.topology.all;
    const auto rounds = all.max(std::uint64_t{panes_.size()});
    if (joins_)
      log::info(
          "joins: what lies on disks is loaded in {} parts, and the tables are read for each; more memory makes "
          "them fewer",
          rounds);
    reader::LoadReport report;
    for (std::uint64_t i = 0; i < rounds; ++i) {
      add(report, i < panes_.size() ? fill(i) : fill_nothing());
      mpi::together(all, [&] {
        if (i < panes_.size()) hand_on(panes_[i]);
      });
    }
    mpi::together(all, [&] { writer_.finish(); });
    clear(in_memory_.columns, std::min(in_memory_.rows, 2 * pane_rows_));
    return report;
  }
  /// For what is read afterwards into memory.
  reader::LoadOptions rest_of_options() {
    progress_.begin(in_memory_.rows * file_row_bytes_);
    return options_;
  }

 private:
  static std::uint64_t bytes_of_a_row(const catalog::Catalog& catalog) {
    std::uint64_t bytes = 0;
    for (const auto& dataset : catalog.datasets) bytes += dataset.row_bytes;
    return bytes;
  }

  void cut() {
    const auto& blueprint = filling_.blueprint;
    const auto& records = scratch_.records;
    const auto rows = blueprint.placement.rows(stager_);
    const auto grain = records.rows_a_piece(0);  // where panes may begin in the file
    const auto most = joins_ ? rows : most_pane_bytes / std::max<std::uint64_t>(1, row_bytes(blueprint.schema));
    pane_rows_ = std::max(grain, std::min(most, in_memory_.rows / 2) / grain * grain);
    EXPECTS(in_memory_.rows >= 2 * pane_rows_ || in_memory_.rows == rows);
    for (auto first = in_memory_.rows; first < rows;) {
      auto count = rows_to_chunk_end(blueprint, stager_, first, pane_rows_);
      if (first + count < rows) count = count < grain ? pane_rows_ : count / grain * grain;
      auto& pane = panes_.emplace_back(rows_of_slab(blueprint, stager_, first, count));
      for (std::size_t f = 0; f < blueprint.schema.size(); ++f)
        pane.columns.push_back(in_memory_.columns[f] +
                               (panes_.size() - 1) % 2 * pane_rows_ * blueprint.schema[f].row_bytes());
      first += count;
    }
  }

  reader::LoadReport fill(std::size_t number) {
    const auto& pane = panes_[number];
    clear(pane.columns, pane.rows);
    progress_.begin(pane.rows * file_row_bytes_);
    StoreSink sink(filling_.blueprint, stager_, pane);
    auto report = fill_pane(filling_, sink, pane, options_);
    sink.finish(options_.threads);
    return report;
  }
  /// Others have more: takes part in what is collective.
  reader::LoadReport fill_nothing() {
    auto none = rows_of_slab(filling_.blueprint, stager_, in_memory_.rows, 0);
    none.columns = in_memory_.columns;
    progress_.begin(0);
    StoreSink sink(filling_.blueprint, stager_, none);
    return fill_pane(filling_, sink, none, options_);
  }

  void hand_on(const Pane& pane) {
    store::PaneOfRows rows{pane.first_row - in_memory_.rows, pane.rows, {}};
    rows.fields.assign(pane.columns.begin(), pane.columns.end());
    writer_.write(std::move(rows));
  }

  /// Memory that was never used is zero, and transforms count on it.
  void clear(const std::vector<std::byte*>& columns, std::uint64_t rows) const {
    for (std::size_t f = 0; f < columns.size(); ++f)
      std::memset(columns[f], 0, rows * filling_.blueprint.schema[f].row_bytes());
  }

  const Filling& filling_;
  const std::uint32_t stager_;
  const store::Scratch& scratch_;
  const Pane in_memory_;
  std::vector<Pane> panes_;
  std::uint64_t pane_rows_ = 0;
  store::ScratchWriter writer_;
  reader::LoadOptions options_;
  const std::uint64_t file_row_bytes_;
  ProgressOfParts progress_;
  const bool joins_;
};

}  // namespace

reader::LoadReport fill_store(const Filling& filling, store::NodeStore& store) {
  const auto& topology = filling.topology;
  std::optional<ScratchLoad> scratch;
  reader::LoadReport report;
  if (!store.scratch().empty()) {
    mpi::together(topology.all, [&] { scratch.emplace(filling, store); });
    report = scratch->run();
  }
  const auto options = scratch ? scratch->rest_of_options() : filling.options;
  const auto pane = rows_in_memory(filling.blueprint, topology, store);
  StoreSink sink(filling.blueprint, topology.me(), pane);
  add(report, fill_pane(filling, sink, pane, options));
  sink.finish(options.threads);
  return report;
}

}  // namespace headrace::service::loading
