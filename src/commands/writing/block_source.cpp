#include "commands/writing/block_source.hpp"

#include <utility>

namespace headrace::commands::writing {

std::exception_ptr SessionBlocks::run(std::vector<Block> blocks, const Take& take, std::uint64_t& rows) {
  BlockRun run(session_.staging(), session_.rows(), std::move(blocks), false,
               [&](const Block& block, const Buffer& buffer) { take(block, buffer.fields); });
  session_.run(run);
  rows = run.rows_done();
  return run.failure();
}

}  // namespace headrace::commands::writing
