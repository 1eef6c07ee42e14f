// One window into this stager's memory: its blocks from the files, through the transforms, without a word to other
// stagers. Called by the thread that owns HDF5.
//
//   files      ... | block 17 | ........ | block 90 | block 91 | ...
//   pane       | 17 | 90 | 91 |                 each as a small slab of its own (store_sink.hpp); or, where rows stay,
//   slab       ... | 17 | ... | 90 | 91 | ...   each where its rows belong
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "reader/load.hpp"
#include "service/blueprint/cells.hpp"
#include "service/loading/store_sink.hpp"
#include "store/node_store.hpp"

namespace headrace::service::loading {

/// Fields that cannot be read block by block: Error that names one and says what to do.
void require_loadable_by_blocks(const blueprint::Blueprint& blueprint);

/// What windows are read from, and by whom.
struct WindowSource {
  const blueprint::Blueprint& blueprint;
  const job::Topology& topology;
  const catalog::Contents& contents;
};

/// So often who reads windows tells how far he is.
inline constexpr std::chrono::milliseconds news_every{250};

/// Samples that have to be read for these blocks of a stager, ascending.
std::vector<reader::Interval> intervals_of(const blueprint::Blueprint& blueprint, std::uint32_t stager,
                                           const plan::Members& members,
                                           std::span<const blueprint::PlacedBlock> blocks);

class WindowLoad : public reader::Sink {
 public:
  enum class Memory { fresh, used };  ///< fresh: it is zero where nobody has written
  /// members: what the blocks' ordinals are of. blocks: of the window, those of this stager, ascending. columns: of its
  /// memory.
  WindowLoad(const WindowSource& source, const plan::Members& members, std::span<const blueprint::PlacedBlock> blocks,
             std::span<std::byte* const> columns, Memory memory);

  /// Errors name field, file and row. What options.progress throws ends it.
  reader::LoadReport run(const reader::LoadOptions& options);

  std::byte* place(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows) override;
  void accept(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows, const std::byte* raw) override;

 private:
  std::size_t block_of(std::uint64_t sample) const;
  void clear(std::size_t block) const;
  void read_validity(std::size_t block, const reader::LoadOptions& options);

  const WindowSource source_;
  const blueprint::Blueprint& blueprint_;
  const std::uint32_t stager_;
  const plan::Members& members_;
  const Memory memory_;
  const std::vector<reader::Interval> intervals_;
  std::vector<plan::Slab> samples_;  // per block
  std::vector<Pane> panes_;
  std::vector<std::unique_ptr<StoreSink>> sinks_;
  std::vector<bool> overwritten_;  // per array: by every byte that is read
};

}  // namespace headrace::service::loading
