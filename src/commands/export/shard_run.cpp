#include "commands/export/shard_run.hpp"

#include <algorithm>

namespace headrace::commands::exporting {

namespace {
constexpr std::uint64_t piece_bytes = 4 << 20;
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
  session_.run(run);
  return run.failure();
}

std::uint64_t ShardRun::shards_done() const {
  const Lock lock(mutex_);
  return done_;
}

Shard& ShardRun::open(std::uint64_t number) {
  const Lock lock(mutex_);
  auto& shard = open_.at(number).shard;
  const auto first = number * chunk_size_;
  if (!shard) shard = format_.shard(number, first, std::min(chunk_size_, samples_ - first));
  return *shard;
}

std::unique_ptr<Shard> ShardRun::take_if_last(std::uint64_t number) {
  const Lock lock(mutex_);
  auto& open = open_.at(number);
  return --open.pieces_left == 0 ? std::move(open.shard) : nullptr;
}

void ShardRun::write(const writing::Block& block, const writing::Buffer& rows) {
  const auto& piece = pieces_[block.number];
  open(piece.shard).write(piece.part, piece.first, block.rows, rows.fields);
  const auto whole = take_if_last(piece.shard);
  if (!whole) return;
  whole->finish();
  const Lock lock(mutex_);
  log_.add({piece.shard, 0, {}});
  log_.commit();
  ++done_;
}

}  // namespace headrace::commands::exporting
