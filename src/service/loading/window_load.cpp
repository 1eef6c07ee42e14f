#include "service/loading/window_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <thread>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "data/selection/reading.hpp"
#include "service/loading/outside_validity.hpp"

namespace headrace::service::loading {

namespace {

/// f(i) for i below count, by so many threads. Throws what one of them threw.
template <class F>
void share_out(std::size_t count, unsigned threads, const F& f) {
  std::vector<std::exception_ptr> failures(threads);
  const auto share = [&](std::size_t first) {
    try {
      for (auto i = first; i < count; i += threads) f(i);
    } catch (...) {
      failures[first] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned t = 1; t < threads && t < count; ++t) helpers.emplace_back(share, t);
    share(0);
  }
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

bool is_overwritten(const data::fields::FieldPlan& plan) {
  return plan.transform.identity() && plan.by_file.empty() && plan.by_class.empty() && !plan.by_weight && !plan.join;
}

}  // namespace

void require_loadable_by_blocks(const blueprint::Blueprint& blueprint) {
  for (const auto& plan : blueprint.fields) {
    const auto& name = blueprint.schema[plan.array].name;
    require(!plan.join, fmt::format("field '{}': rows of tables (join) lie anywhere in their files, so they cannot be "
                                    "read window by window; name a folder on a disk of each node instead "
                                    "(scratch = \"DIR\"), give the service more memory, or leave the field out",
                                    name));
  }
}

std::vector<reader::Interval> intervals_of(const blueprint::Blueprint& blueprint, std::uint32_t stager,
                                           const plan::Members& members,
                                           std::span<const blueprint::PlacedBlock> blocks) {
  std::vector<reader::Interval> intervals;
  const auto gap = data::selection::gap_to_read(blueprint.catalog);
  for (const auto& block : blocks) {
    const plan::Slab samples{blueprint.blocks.first_sample[block.block],
                             blueprint.blocks.first_sample[block.block + 1]};
    for (const auto& interval : intervals_to_read(members, stager, samples, gap)) {
      if (!intervals.empty() && intervals.back().last == interval.first)
        intervals.back().last = interval.last;
      else
        intervals.push_back(interval);
    }
  }
  return intervals;
}

WindowLoad::WindowLoad(const WindowSource& source, const plan::Members& members,
                       std::span<const blueprint::PlacedBlock> blocks, std::span<std::byte* const> columns,
                       Memory memory)
    : source_(source),
      blueprint_(source.blueprint),
      stager_(source.topology.me()),
      members_(members),
      memory_(memory),
      intervals_(intervals_of(source.blueprint, stager_, members, blocks)),
      overwritten_(blueprint_.schema.size()) {
  for (const auto& plan : blueprint_.fields) overwritten_[plan.array] = is_overwritten(plan);
  for (const auto& block : blocks) {
    EXPECTS(block.stager == stager_);
    auto& samples = samples_.emplace_back();
    samples = {blueprint_.blocks.first_sample[block.block], blueprint_.blocks.first_sample[block.block + 1]};
    auto& pane =
        panes_.emplace_back(Pane{samples, block.first_ordinal - members_.first_ordinals()[stager_], block.rows, {}});
    for (std::size_t f = 0; f < columns.size(); ++f)
      pane.columns.push_back(columns[f] + block.row * blueprint_.schema[f].row_bytes());
    sinks_.push_back(std::make_unique<StoreSink>(blueprint_, stager_, members_, pane));
  }
}

/// Transforms count on zeros where they write nothing.
void WindowLoad::clear(std::size_t block) const {
  for (std::size_t f = 0; f < overwritten_.size(); ++f)
    if (!overwritten_[f])
      std::memset(panes_[block].columns[f], 0, panes_[block].rows * blueprint_.schema[f].row_bytes());
}

/// Which records are real, where that must be known before rows are converted.
void WindowLoad::read_validity(std::size_t block, const reader::LoadOptions& options) {
  const auto intervals = intervals_to_read(members_, stager_, samples_[block]);
  const auto& pane = panes_[block];
  sinks_[block]->take_validity(read_outside_validity(blueprint_.fields, {.contents = source_.contents,
                                                                         .samples = blueprint_.catalog.samples,
                                                                         .members = members_,
                                                                         .topology = source_.topology,
                                                                         .intervals = intervals,
                                                                         .options = options,
                                                                         .first = pane.first_row,
                                                                         .count = pane.rows,
                                                                         .alone = true}));
}

reader::LoadReport WindowLoad::run(const reader::LoadOptions& options) {
  share_out(sinks_.size(), options.threads, [this](std::size_t block) {
    if (memory_ == Memory::used) clear(block);
    sinks_[block]->fill_constants();
  });
  if (std::ranges::any_of(blueprint_.fields, &data::fields::FieldPlan::needs_validity_first)) {
    auto untold = options;
    untold.progress = nullptr;
    for (std::size_t block = 0; block < sinks_.size(); ++block) read_validity(block, untold);
  }
  auto report = reader::load_alone(blueprint_.catalog, intervals_, *this, options);
  share_out(sinks_.size(), options.threads, [this](std::size_t block) { sinks_[block]->finish(1); });
  return report;
}

std::size_t WindowLoad::block_of(std::uint64_t sample) const {
  const auto after = std::ranges::upper_bound(samples_, sample, {}, &plan::Slab::first);
  ENSURES(after != samples_.begin());
  return static_cast<std::size_t>(after - samples_.begin()) - 1;
}

std::byte* WindowLoad::place(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows) {
  const auto block = block_of(first_sample);
  return first_sample + rows <= samples_[block].last ? sinks_[block]->place(dataset, first_sample, rows) : nullptr;
}

void WindowLoad::accept(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows, const std::byte* raw) {
  const auto row_bytes = blueprint_.catalog.row_bytes_at(dataset, first_sample);
  while (rows > 0) {
    const auto block = block_of(first_sample);
    const auto some = std::min(rows, samples_[block].last - first_sample);
    sinks_[block]->accept(dataset, first_sample, some, raw);
    first_sample += some;
    rows -= some;
    raw += some * row_bytes;
  }
}

}  // namespace headrace::service::loading
