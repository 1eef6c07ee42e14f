// The rows of an inventory, block by block: a slice of several blocks is read by all readers while the one before is
// written by the workers. Slices are as long as a quarter of a second takes, so that who interrupts need not wait, no longer
// than memory allows, and no longer than a quarter of what is left: only the last one is written while nothing is read.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands/pack/failures.hpp"
#include "commands/pack/slices.hpp"
#include "commands/writing/block_source.hpp"
#include "commands/writing/muster.hpp"

namespace headrace::commands::pack {

class InventoryBlocks : public writing::BlockSource {
 public:
  struct How {
    unsigned threads = 1;
    std::uint64_t most_rows = 1;                     ///< of a slice
    bool skip = false;                               ///< samples that are not to be had are noted, and the rest goes on
    std::function<void(std::uint64_t rows)> told{};  ///< how many are read; the thread that owns MPI
    std::function<std::uint64_t()> written{};  ///< blocks that all stagers together have written, as the journal says
  };
  InventoryBlocks(Slices& slices, Failures& failures, writing::Muster& muster, How how)
      : slices_(slices), failures_(failures), muster_(muster), how_(std::move(how)) {}

  const Schema& schema() const override { return slices_.schema(); }
  std::exception_ptr run(std::vector<writing::Block> blocks, const Take& take, std::uint64_t& rows) override;
  void wait_for_all(bool failed) override { muster_.wait(failed || stopped_, how_.written); }

  /// Ends run() after the slice in hand. Any thread.
  void stop() { stopped_ = true; }

 private:
  /// Blocks of the next slice, from `next` on.
  std::size_t end_of_slice(const std::vector<writing::Block>& blocks, std::size_t next, std::uint64_t most) const;
  std::exception_ptr read(std::uint64_t first, std::uint64_t last, std::uint64_t before);

  Slices& slices_;
  Failures& failures_;
  writing::Muster& muster_;
  const How how_;
  std::atomic<bool> stopped_ = false;
  std::uint64_t slice_rows_ = 1, least_rows_ = 1;  ///< wanted; at least, unless no more are left
};

}  // namespace headrace::commands::pack
