// Blocks of rows, gathered and worked on by the workers of this stager, a few at a time:
//
//   waiting --(room in the window)--> gathered --> work() --(work, or release() later)--> out of the window
//
// What work() throws ends the run: blocks in hand are finished, no others begun. stop() does the same without an error.
// start() and the destructor by the thread that owns MPI; the rest by any.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "commands/writing/rows.hpp"
#include "service/staging.hpp"

namespace headrace::commands::writing {

struct Block {
  std::uint64_t number = 0, first = 0;  ///< position of its first row
  std::size_t rows = 0;
};

/// All blocks of `samples` rows from `first` on.
std::vector<Block> blocks_of(std::uint64_t first, std::uint64_t samples, std::uint64_t block_rows);

class BlockRun {
 public:
  using Work = std::function<void(const Block& block, const Buffer& rows)>;
  /// released: a block leaves the window by release(), not with its work.
  BlockRun(service::Staging& staging, const Rows& rows, std::vector<Block> blocks, bool released, Work work);
  ~BlockRun();  ///< only once it is finished
  BlockRun(const BlockRun&) = delete;
  BlockRun& operator=(const BlockRun&) = delete;

  void start() EXCLUDES(mutex_);
  void release() EXCLUDES(mutex_);
  void stop() EXCLUDES(mutex_);
  /// Nothing is in hand and nothing will be.
  bool finished() const EXCLUDES(mutex_);
  /// Whether all blocks were worked on.
  bool complete() const EXCLUDES(mutex_);
  std::exception_ptr failure() const EXCLUDES(mutex_);
  std::uint64_t rows_done() const EXCLUDES(mutex_);

 private:
  struct Task {
    Block block;
    Buffer* buffer;
  };
  void gather(const Task& task);
  void work(const Task& task);
  void fail(std::exception_ptr what) EXCLUDES(mutex_);
  void give_back(const Task& task, bool worked) EXCLUDES(mutex_);
  bool over() const REQUIRES(mutex_) { return stopped_ || failure_ || next_ == blocks_.size(); }

  service::Staging& staging_;
  const Rows& rows_;
  const std::vector<Block> blocks_;
  const bool released_;
  const Work work_;
  std::size_t window_;

  mutable Mutex mutex_;
  std::vector<std::unique_ptr<Buffer>> buffers_ GUARDED_BY(mutex_);  // that are free
  std::size_t next_ GUARDED_BY(mutex_) = 0, in_hand_ GUARDED_BY(mutex_) = 0, in_window_ GUARDED_BY(mutex_) = 0;
  std::size_t worked_ GUARDED_BY(mutex_) = 0;
  std::uint64_t rows_done_ GUARDED_BY(mutex_) = 0;
  bool stopped_ GUARDED_BY(mutex_) = false;
  std::exception_ptr failure_ GUARDED_BY(mutex_);
};

}  // namespace headrace::commands::writing
