#include "plan/windows.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/contract.hpp"
#include "base/hash.hpp"
#include "base/narrow.hpp"
#include "plan/wide.hpp"

namespace headrace::plan {

namespace {

constexpr std::uint64_t most_blocks = std::uint64_t{1} << 31;  // products with numbers of slots stay within 64 bits

// Keys of their own, beside those of the epoch's batches.
std::uint64_t key_of_run(std::uint64_t key, std::uint64_t run) {
  return sample_hash(sample_hash(~key) + run);
}
std::uint64_t key_of_window(std::uint64_t key, std::uint64_t window) {
  return sample_hash(sample_hash(sample_hash(~key)) + window);
}

/// Fisher and Yates: of the few slots of a run a network with cycle walking would take a hundred times as long.
void shuffle(std::span<std::uint32_t> items, std::uint64_t key) {
  for (auto left = items.size(); left > 1; --left) {
    const auto drawn = static_cast<std::size_t>(Unsigned128{sample_hash(key + left)} * left >> 64);
    std::swap(items[left - 1], items[drawn]);
  }
}

}  // namespace

Windows::Windows(std::vector<std::uint64_t> first_ordinals, std::uint64_t blocks_a_window)
    : first_(std::move(first_ordinals)) {
  EXPECTS(!first_.empty() && blocks_a_window > 0 && std::is_sorted(first_.begin(), first_.end()));
  EXPECTS(blocks() <= most_blocks);
  for (std::uint64_t block = 0; block < blocks(); ++block)
    if (rows(block) > 0) filled_.push_back(static_cast<std::uint32_t>(block));
  // As few in each as make so many windows: then these are as equal as can be.
  const auto all = std::max<std::uint64_t>(1, filled_.size());
  count_ = (all + std::min(blocks_a_window, all) - 1) / std::min(blocks_a_window, all);
  blocks_a_window_ = (all + count_ - 1) / count_;
}

Windows Windows::alike(std::vector<std::uint64_t> first_ordinals, std::uint64_t windows, std::uint64_t key) {
  EXPECTS(windows > 0);
  Windows all(std::move(first_ordinals), 1);
  all.filled_.resize(all.blocks());
  std::iota(all.filled_.begin(), all.filled_.end(), 0);
  all.count_ = std::clamp<std::uint64_t>(all.blocks(), 1, windows);
  all.blocks_a_window_ = std::max<std::uint64_t>(1, (all.blocks() + all.count_ - 1) / all.count_);
  all.dealt_by_ = key;
  return all;
}

std::uint64_t Windows::block_of(std::uint64_t ordinal) const {
  return static_cast<std::uint64_t>(std::upper_bound(first_.begin(), first_.end(), ordinal) - first_.begin()) - 1;
}

std::uint64_t Windows::least_rows() const {
  std::uint64_t sum = 0;
  for (std::uint64_t k = 0; k < filled_.size();) {
    const auto run = slot_of(k) / count_;
    std::uint64_t least = rows(filled_[k]), slots = 0;
    for (; k < filled_.size() && slot_of(k) / count_ == run; ++k, ++slots) least = std::min(least, rows(filled_[k]));
    if (slots == count_) sum += least;  // else one of the windows gets none of the run
  }
  return sum;
}

WindowedOrder::WindowedOrder(std::shared_ptr<const Windows> windows, std::uint64_t key)
    : windows_(std::move(windows)), key_(key) {
  const auto& filled = windows_->filled();
  std::vector<std::uint32_t> window_of_block(filled.size());  // number k of these
  deal(window_of_block);
  first_block_.resize(windows_->count() + 1);
  for (const auto window : window_of_block) ++first_block_[window + 1];
  std::partial_sum(first_block_.begin(), first_block_.end(), first_block_.begin());

  auto next = first_block_;
  std::vector<std::uint64_t> rows(windows_->count());
  blocks_.resize(filled.size());
  parts_.resize(filled.size());
  place_.resize(filled.size());
  for (std::size_t k = 0; k < filled.size(); ++k) {
    const auto window = window_of_block[k];
    const auto entry = next[window]++;
    place_[k] = static_cast<std::uint32_t>(entry);
    blocks_[entry] = filled[k];
    parts_[entry] = {rows[window], windows_->first_ordinals()[filled[k]]};
    rows[window] += windows_->rows(filled[k]);
  }
  starts_.push_back(0);
  for (const auto count : rows) starts_.push_back(starts_.back() + count);
  make_hints();
}

/// One slot of each run to each window.
void WindowedOrder::deal(std::span<std::uint32_t> window_of_block) {
  const auto count = windows_->count(), filled = windows_->filled().size(), slots = count * windows_->blocks_a_window();
  const auto key = windows_->dealt_by().value_or(key_);
  std::vector<std::uint32_t> window_of_slot(count);
  // slot_of() of one after another, without dividing: the first slot behind a run begins the next one.
  std::uint64_t slot = 0, rest = 0, end = 0;
  for (std::uint64_t k = 0, run = 0; k < filled; ++k) {
    if (slot >= end) {
      run = slot / count;
      end = (run + 1) * count;
      std::iota(window_of_slot.begin(), window_of_slot.end(), 0);
      shuffle(window_of_slot, key_of_run(key, run));
    }
    window_of_block[k] = window_of_slot[slot + count - end];
    for (rest += slots; rest >= filled; rest -= filled) ++slot;
  }
}

/// Where to look for a row: those of a window in as many equal stretches as it has blocks, or fewer.
void WindowedOrder::make_hints() {
  hints_.resize(blocks_.size());
  for (std::uint64_t w = 0; w < windows_->count(); ++w) {
    const auto rows = starts_[w + 1] - starts_[w], begin = first_block_[w], end = first_block_[w + 1];
    shift_.push_back(begin == end ? 0 : static_cast<std::uint8_t>(std::bit_width(rows / (end - begin))));
    auto entry = begin;
    for (std::uint64_t stretch = 0; stretch << shift_[w] < rows; ++stretch) {
      while (entry + 1 < end && parts_[entry + 1].before <= stretch << shift_[w]) ++entry;
      hints_[begin + stretch] = static_cast<std::uint32_t>(entry);
    }
  }
}

std::uint64_t WindowedOrder::window_of(std::uint64_t position) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end() - 1, std::min(position, size() - (size() > 0)));
  return static_cast<std::uint64_t>(after - starts_.begin()) - 1;
}

std::span<const std::uint32_t> WindowedOrder::blocks_of(std::uint64_t window) const {
  return std::span(blocks_).subspan(first_block_[window], first_block_[window + 1] - first_block_[window]);
}

Permutation WindowedOrder::rows_of(std::uint64_t window) const {
  return {starts_[window + 1] - starts_[window], windows_->count() == 1 ? key_ : key_of_window(key_, window)};
}

/// Rows of a window, to ordinals.
void WindowedOrder::place(std::uint64_t window, std::span<std::uint64_t> rows) const {
  const auto* hints = hints_.data() + first_block_[window];
  const auto end = first_block_[window + 1];
  const auto shift = shift_[window];
  for (auto& row : rows) {
    std::uint64_t entry = hints[row >> shift];
    while (entry + 1 < end && parts_[entry + 1].before <= row) ++entry;
    row += parts_[entry].first - parts_[entry].before;
  }
}

void WindowedOrder::evaluate(std::uint64_t first, std::span<std::uint64_t> out) const {
  EXPECTS(first <= size() && out.size() <= size() - first);
  while (!out.empty()) {
    const auto window = window_of(first);
    const auto some = out.first(std::min<std::uint64_t>(out.size(), starts_[window + 1] - first));
    rows_of(window).evaluate(first - starts_[window], some);
    if (windows_->count() > 1) place(window, some);
    first += some.size();
    out = out.subspan(some.size());
  }
}

std::uint64_t WindowedOrder::position(std::uint64_t ordinal) const {
  EXPECTS(ordinal < size());
  const auto& filled = windows_->filled();
  const auto block = static_cast<std::uint32_t>(windows_->block_of(ordinal));
  const auto entry =
      place_[static_cast<std::size_t>(std::lower_bound(filled.begin(), filled.end(), block) - filled.begin())];
  const auto after = std::upper_bound(first_block_.begin(), first_block_.end(), entry);
  const auto window = static_cast<std::uint64_t>(after - first_block_.begin()) - 1;
  return starts_[window] + rows_of(window).inverse(parts_[entry].before + ordinal - parts_[entry].first);
}

}  // namespace headrace::plan
