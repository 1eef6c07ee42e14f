// Whoever has the rows of blocks that are to be written: a stream in memory, files that are read one after another.
// Called by the thread that owns MPI; take() by any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <vector>

#include "base/schema.hpp"
#include "commands/writing/block_run.hpp"
#include "commands/writing/session.hpp"

namespace headrace::commands::writing {

class BlockSource {
 public:
  /// fields: of each the first row; there until take() returns.
  using Take = std::function<void(const Block& block, std::span<const std::byte* const> fields)>;

  virtual ~BlockSource() = default;
  virtual const Schema& schema() const = 0;
  /// Hands on these blocks, until all are, or something fails, which is returned, or it is stopped. rows: that were
  /// taken.
  virtual std::exception_ptr run(std::vector<Block> blocks, const Take& take, std::uint64_t& rows) = 0;
  /// Collective: until no stager's run() goes on. failed: what came of this one's.
  virtual void wait_for_all(bool failed) = 0;
};

/// The rows of a session's stream.
class SessionBlocks : public BlockSource {
 public:
  explicit SessionBlocks(Session& session) : session_(session) {}
  const Schema& schema() const override { return session_.rows().schema(); }
  std::exception_ptr run(std::vector<Block> blocks, const Take& take, std::uint64_t& rows) override;
  void wait_for_all(bool) override { session_.wait_for_all(); }

 private:
  Session& session_;
};

}  // namespace headrace::commands::writing
