#include "plan/windows.hpp"

#include <algorithm>

#include "base/contract.hpp"
#include "base/hash.hpp"
#include "base/narrow.hpp"
#include "plan/wide.hpp"

namespace headrace::plan {

namespace {

// Keys of their own, beside those of the epoch's batches.
std::uint64_t key_of_run(std::uint64_t key, std::uint64_t run) {
  return sample_hash(sample_hash(~key) + run);
}
std::uint64_t key_of_window(std::uint64_t key, std::uint64_t window) {
  return sample_hash(sample_hash(sample_hash(~key)) + window);
}

}  // namespace

Windows::Windows(std::vector<std::uint64_t> first_ordinals, std::uint64_t blocks_a_window)
    : first_(std::move(first_ordinals)), blocks_a_window_(blocks_a_window) {
  EXPECTS(!first_.empty() && blocks_a_window_ > 0 && std::is_sorted(first_.begin(), first_.end()));
  count_ = std::max<std::uint64_t>(1, (blocks() + blocks_a_window_ - 1) / blocks_a_window_);
}

std::uint64_t Windows::block_of(std::uint64_t ordinal) const {
  return static_cast<std::uint64_t>(std::upper_bound(first_.begin(), first_.end(), ordinal) - first_.begin()) - 1;
}

std::uint64_t Windows::slot_of(std::uint64_t block) const {
  return static_cast<std::uint64_t>(Unsigned128{block} * (blocks_a_window_ * count_) / blocks());
}

std::uint64_t Windows::block_in(std::uint64_t slot) const {
  const auto slots = blocks_a_window_ * count_;
  const auto block = static_cast<std::uint64_t>((Unsigned128{slot} * blocks() + slots - 1) / slots);
  return block < blocks() && slot_of(block) == slot ? block : blocks();
}

WindowedOrder::WindowedOrder(std::shared_ptr<const Windows> windows, std::uint64_t key)
    : windows_(std::move(windows)), key_(key), place_(windows_->blocks()) {
  const auto count = windows_->count(), runs = windows_->blocks_a_window();
  // Slots of the windows, run by run: which window takes which is the run's own permutation.
  std::vector<std::vector<std::uint32_t>> taken(count);
  std::vector<std::uint64_t> slots(count);
  for (std::uint64_t run = 0; run < runs; ++run) {
    Permutation(count, key_of_run(key_, run)).evaluate(0, slots);
    for (std::uint64_t w = 0; w < count; ++w)
      if (const auto block = windows_->block_in(run * count + slots[w]); block < windows_->blocks())
        taken[w].push_back(narrow<std::uint32_t>(block));
  }
  std::uint64_t position = 0;
  for (const auto& mine : taken) {
    starts_.push_back(position);
    first_block_.push_back(blocks_.size());
    std::uint64_t rows = 0;
    for (const auto block : mine) {  // ascending: so are runs
      place_[block] = narrow<std::uint32_t>(blocks_.size());
      blocks_.push_back(block);
      before_.push_back(rows);
      rows += windows_->rows(block);
    }
    position += rows;
  }
  starts_.push_back(position);
  first_block_.push_back(blocks_.size());
}

std::uint64_t WindowedOrder::window_of(std::uint64_t position) const {
  return static_cast<std::uint64_t>(std::upper_bound(starts_.begin(), starts_.end(), position) - starts_.begin()) - 1;
}

std::span<const std::uint32_t> WindowedOrder::blocks_of(std::uint64_t window) const {
  return std::span(blocks_).subspan(first_block_[window], first_block_[window + 1] - first_block_[window]);
}

Permutation WindowedOrder::rows_of(std::uint64_t window) const {
  return {starts_[window + 1] - starts_[window], windows_->count() == 1 ? key_ : key_of_window(key_, window)};
}

void WindowedOrder::evaluate(std::uint64_t first, std::span<std::uint64_t> out) const {
  EXPECTS(first <= size() && out.size() <= size() - first);
  while (!out.empty()) {
    const auto window = window_of(first);
    const auto some = out.first(std::min<std::uint64_t>(out.size(), starts_[window + 1] - first));
    rows_of(window).evaluate(first - starts_[window], some);
    const auto begin = before_.begin() + static_cast<std::ptrdiff_t>(first_block_[window]);
    const auto end = before_.begin() + static_cast<std::ptrdiff_t>(first_block_[window + 1]);
    for (auto& row : some) {
      // The block that holds it is the last with no more rows in front: empty ones before that are passed.
      const auto entry = std::upper_bound(begin, end, row) - before_.begin() - 1;
      row += windows_->first_ordinals()[blocks_[static_cast<std::size_t>(entry)]] -
             before_[static_cast<std::size_t>(entry)];
    }
    first += some.size();
    out = out.subspan(some.size());
  }
}

std::uint64_t WindowedOrder::position(std::uint64_t ordinal) const {
  EXPECTS(ordinal < size());
  const auto block = windows_->block_of(ordinal);
  const auto entry = place_[block];
  const auto window = static_cast<std::uint64_t>(std::upper_bound(first_block_.begin(), first_block_.end(), entry) -
                                                 first_block_.begin()) -
                      1;
  const auto row = before_[entry] + ordinal - windows_->first_ordinals()[block];
  return starts_[window] + rows_of(window).inverse(row);
}

}  // namespace headrace::plan
