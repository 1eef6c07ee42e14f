#include "commands/writing/block_run.hpp"

#include <algorithm>
#include <utility>

#include "base/contract.hpp"

namespace headrace::commands::writing {

std::vector<Block> blocks_of(std::uint64_t first, std::uint64_t samples, std::uint64_t block_rows) {
  std::vector<Block> all;
  for (std::uint64_t done = 0; done < samples; done += block_rows)
    all.push_back({all.size(), first + done, static_cast<std::size_t>(std::min(block_rows, samples - done))});
  return all;
}

BlockRun::BlockRun(service::Staging& staging, const Rows& rows, std::vector<Block> blocks, bool released, Work work)
    : staging_(staging), rows_(rows), blocks_(std::move(blocks)), released_(released), work_(std::move(work)) {
  // One more than workers, so that none waits for the thread that takes what is done; where rows travel, more are
  // under way.
  const std::size_t workers = staging.workers().size();
  window_ = std::min<std::size_t>(std::max<std::size_t>(1, blocks_.size()),
                                  staging.topology().nodes.size() > 1 || released ? 2 * workers + 1 : workers + 1);
  std::size_t most = 0;
  for (const auto& block : blocks_) most = std::max(most, block.rows);
  for (std::size_t i = 0; i < window_; ++i) buffers_.push_back(std::make_unique<Buffer>(rows.make_buffer(most)));
}

BlockRun::~BlockRun() {
  EXPECTS(finished());
}

void BlockRun::start() {
  for (;;) {
    Task task;
    {
      const Lock lock(mutex_);
      if (over() || in_window_ == window_ || buffers_.empty()) return;
      task = {blocks_[next_++], buffers_.back().release()};
      buffers_.pop_back();
      ++in_hand_;
      ++in_window_;
    }
    staging_.workers().post([this, task] { gather(task); });
  }
}

void BlockRun::gather(const Task& task) {
  try {
    const auto there = rows_.take(task.block.first, task.block.rows, *task.buffer,
                                  [this, task] { staging_.workers().post_first([this, task] { work(task); }); });
    if (there) work(task);
  } catch (...) {
    fail(std::current_exception());
    give_back(task, false);
  }
}

void BlockRun::work(const Task& task) {
  bool worked = false;
  try {
    rows_.settle(task.block.rows, *task.buffer);
    work_(task.block, *task.buffer);
    worked = true;
  } catch (...) {
    fail(std::current_exception());
  }
  give_back(task, worked);
}

void BlockRun::fail(std::exception_ptr what) {
  const Lock lock(mutex_);
  if (!failure_) failure_ = std::move(what);
}

void BlockRun::give_back(const Task& task, bool worked) {
  auto& staging = staging_;  // once it is finished, this may be gone
  bool more = false;
  {
    const Lock lock(mutex_);
    buffers_.emplace_back(task.buffer);
    if (!released_ || !worked) --in_window_;
    if (worked) {
      ++worked_;
      rows_done_ += task.block.rows;
    }
    more = !over();
    if (!more) --in_hand_;
  }
  if (more) {
    start();
    const Lock lock(mutex_);
    --in_hand_;
  }
  staging.wake();
}

void BlockRun::release() {
  {
    const Lock lock(mutex_);
    --in_window_;
  }
  start();
}

void BlockRun::stop() {
  const Lock lock(mutex_);
  stopped_ = true;
}

bool BlockRun::finished() const {
  const Lock lock(mutex_);
  return over() && in_hand_ == 0;
}

bool BlockRun::complete() const {
  const Lock lock(mutex_);
  return worked_ == blocks_.size();
}

std::exception_ptr BlockRun::failure() const {
  const Lock lock(mutex_);
  return failure_;
}

std::uint64_t BlockRun::rows_done() const {
  const Lock lock(mutex_);
  return rows_done_;
}

}  // namespace headrace::commands::writing
