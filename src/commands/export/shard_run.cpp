#include "commands/export/shard_run.hpp"

#include <algorithm>

namespace headrace::commands::exporting {

namespace {
constexpr std::uint64_t piece_bytes = 4 << 20;
constexpr std::uint64_t most_under_way = 1;  // each has its files open
}  // namespace

ShardRun::ShardRun(writing::Session& session, const Format& format, const Folder& folder,
                   const std::vector<bool>& finished, std::uint64_t chunk_size, std::uint64_t samples)
    : session_(session),
      format_(format),
      chunk_size_(chunk_size),
      samples_(samples),
      log_(folder.part(), session.topology().me()) {
  const auto rows = std::max<std::uint64_t>(1, piece_bytes / std::max<std::uint64_t>(1, format.row_bytes()));
  std::uint64_t turn = 0;
  for (std::uint64_t shard = 0; shard < finished.size(); ++shard) {
    if (finished[shard] || turn++ % session.topology().stagers() != session.topology().me()) continue;
    const auto begin = shard * chunk_size;
    const auto parts = writing::blocks_of(begin, std::min(chunk_size, samples - begin), rows);
    for (const auto& part : parts) {
      pieces_.push_back({shard, part.number, part.first - begin});
      blocks_.push_back({blocks_.size(), part.first, part.rows});
    }
    open_[shard].pieces_left = parts.size();
  }
}

std::exception_ptr ShardRun::go() {
  writing::BlockRun run(session_.staging(), session_.rows(), blocks_, false,
                        [this](const writing::Block& block, const writing::Buffer& rows) { write(block, rows); });
  session_.run(run, [this] {
    const Lock lock(mutex_);
    return under_way_ == 0;
  });
  if (run.failure()) return run.failure();
  const Lock lock(mutex_);
  return failure_;
}

std::uint64_t ShardRun::shards_done() const {
  const Lock lock(log_mutex_);
  return done_;
}

Shard& ShardRun::open(std::uint64_t number) {
  const Lock lock(mutex_);
  auto& shard = open_.at(number).shard;
  const auto first = number * chunk_size_;
  if (!shard) shard = format_.shard(number, first, std::min(chunk_size_, samples_ - first));
  return *shard;
}

std::shared_ptr<Shard> ShardRun::take_if_last(std::uint64_t number) {
  const Lock lock(mutex_);
  auto& open = open_.at(number);
  return --open.pieces_left == 0 ? std::move(open.shard) : nullptr;
}

/// Whether the disk thread has it now.
bool ShardRun::hand_over(std::uint64_t number, const std::shared_ptr<Shard>& shard) {
  {
    const Lock lock(mutex_);
    if (under_way_ == most_under_way) return false;
    ++under_way_;
  }
  try {
    disk_.post([this, number, shard] { finish_beside(number, *shard); });
  } catch (...) {
    const Lock lock(mutex_);
    --under_way_;  // else go() would wait for it
    throw;
  }
  return true;
}

void ShardRun::write(const writing::Block& block, const writing::Buffer& rows) {
  rethrow_failure();
  const auto& piece = pieces_[block.number];
  open(piece.shard).write(piece.part, piece.first, block.rows, rows.fields);
  const auto whole = take_if_last(piece.shard);
  if (!whole) return;
  whole->close();
  // A worker waits where the disk is behind, so that no more is made than it takes.
  if (!hand_over(piece.shard, whole)) finish(piece.shard, *whole);
}

void ShardRun::finish_beside(std::uint64_t number, Shard& shard) {
  std::exception_ptr failure;
  try {
    finish(number, shard);
  } catch (...) {
    failure = std::current_exception();
  }
  {
    const Lock lock(mutex_);
    if (!failure_) failure_ = failure;
    --under_way_;
  }
  session_.staging().wake();
}

void ShardRun::finish(std::uint64_t number, Shard& shard) {
  shard.finish();
  const Lock lock(log_mutex_);
  log_.add({number, 0, {}});
  log_.commit();
  ++done_;
}

void ShardRun::rethrow_failure() {
  const Lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace headrace::commands::exporting
