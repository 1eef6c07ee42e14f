// This stager's shards, each written in pieces by its workers, and told to the journal once it is there. The thread
// that owns MPI makes it and calls go().
//
//   workers   shard 1 | shard 2 | shard 3 ...
//   disk                shard 1 is made safe | shard 2 ...      by a thread that mostly waits
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "base/workers.hpp"
#include "commands/export/folder.hpp"
#include "commands/export/format.hpp"
#include "commands/writing/session.hpp"
#include "formats/journal.hpp"

namespace headrace::commands::exporting {

class ShardRun {
 public:
  /// finished: shards that an earlier run has written.
  ShardRun(writing::Session& session, const Format& format, const Folder& folder, const std::vector<bool>& finished,
           std::uint64_t chunk_size, std::uint64_t samples);

  /// Returns what failed, or nothing: then all are written, or the session was stopped.
  std::exception_ptr go();
  std::uint64_t shards_done() const EXCLUDES(log_mutex_);

 private:
  /// A piece of a shard.
  struct Piece {
    std::uint64_t shard = 0, part = 0, first = 0;  ///< first: row within the shard
  };
  struct Open {
    std::shared_ptr<Shard> shard;
    std::uint64_t pieces_left = 0;
  };
  void write(const writing::Block& block, const writing::Buffer& rows) EXCLUDES(mutex_);
  Shard& open(std::uint64_t number) EXCLUDES(mutex_);
  std::shared_ptr<Shard> take_if_last(std::uint64_t number) EXCLUDES(mutex_);
  bool hand_over(std::uint64_t number, const std::shared_ptr<Shard>& shard) EXCLUDES(mutex_);
  void finish_beside(std::uint64_t number, Shard& shard) EXCLUDES(mutex_);
  void finish(std::uint64_t number, Shard& shard) EXCLUDES(mutex_, log_mutex_);
  void rethrow_failure() EXCLUDES(mutex_);

  writing::Session& session_;
  const Format& format_;
  const std::uint64_t chunk_size_, samples_;
  std::vector<writing::Block> blocks_;
  std::vector<Piece> pieces_;  // of each block
  Mutex mutex_;
  std::map<std::uint64_t, Open> open_ GUARDED_BY(mutex_);
  std::uint64_t under_way_ GUARDED_BY(mutex_) = 0;  // shards that the disk thread has, or will have
  std::exception_ptr failure_ GUARDED_BY(mutex_);   // of that thread
  mutable Mutex log_mutex_;
  formats::BlockLog log_ GUARDED_BY(log_mutex_);
  std::uint64_t done_ GUARDED_BY(log_mutex_) = 0;
  Workers disk_{1};  // last: it uses the rest
};

}  // namespace headrace::commands::exporting
