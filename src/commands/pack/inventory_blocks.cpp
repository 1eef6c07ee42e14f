#include "commands/pack/inventory_blocks.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "inventory/team.hpp"

namespace headrace::commands::pack {

std::size_t InventoryBlocks::end_of_slice(const std::vector<writing::Block>& blocks, std::size_t next,
                                          std::uint64_t most) const {
  auto end = next + 1;
  auto rows = static_cast<std::uint64_t>(blocks[next].rows);
  while (end < blocks.size() && blocks[end].first == blocks[end - 1].first + blocks[end - 1].rows &&
         rows + blocks[end].rows <= most)
    rows += blocks[end++].rows;
  return end;
}

std::exception_ptr InventoryBlocks::read(std::uint64_t first, std::uint64_t last, std::uint64_t before) {
  constexpr double wanted_s = 0.25;
  constexpr std::uint64_t most_growth = 8, least_part = 8;
  const auto begin = Clock::now();
  try {
    slices_.on_progress([&](double share) {
      how_.told(before + static_cast<std::uint64_t>(share * static_cast<double>(last - first)));
    });
    slices_.load(first, last, [this](std::uint64_t sample, const std::string& why) {
      if (how_.skip) failures_.note(sample, why);
      return how_.skip;
    });
  } catch (...) {
    return std::current_exception();
  }
  const auto rows = last - first;
  const auto in_time = static_cast<double>(rows) * wanted_s / std::max(seconds_since(begin), 1e-6);
  slice_rows_ = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::min(in_time, 1e15)), 1,
                                          std::min(rows * most_growth, how_.most_rows));
  least_rows_ = slice_rows_ / least_part;
  return nullptr;
}

std::exception_ptr InventoryBlocks::run(std::vector<writing::Block> blocks, const Take& take, std::uint64_t& rows) {
  std::atomic<std::uint64_t> taken = 0;
  std::exception_ptr failure;
  try {
    inventory::Team writers(how_.threads + 1);
    std::uint64_t read_rows = 0, all_rows = 0;
    for (const auto& block : blocks) all_rows += block.rows;
    for (std::size_t next = 0; next < blocks.size() && !stopped_ && !muster_.told_to_stop() && !failure;) {
      // Smaller ones towards the end, as nobody reads while the last one is written; but not too small, as readers wait
      // for each other at the end of each.
      const auto rest = std::max((all_rows - read_rows) / 4, least_rows_);
      const auto end = end_of_slice(blocks, next, std::min(slice_rows_, rest));
      const auto first = blocks[next].first, last = blocks[end - 1].first + blocks[end - 1].rows;
      failure = read(first, last, read_rows);
      writers.finish();  // what was read before
      if (failure) break;
      read_rows += last - first;
      failures_.commit();
      for (; next < end; ++next)
        writers.add([&take, &taken, block = blocks[next], fields = slices_.rows(blocks[next].first)] {
          take(block, fields);
          taken.fetch_add(block.rows, std::memory_order_relaxed);  // read once the team has finished
        });
    }
    writers.finish();
  } catch (...) {
    failure = std::current_exception();
  }
  rows = taken.load(std::memory_order_relaxed);
  return failure;
}

}  // namespace headrace::commands::pack
