// What blocks of the files hold of a column, in three numbers each: from them follows how far a file is sorted by it
// (plan/figures/shuffle_quality.hpp). Read from the files, beside whatever loads the samples.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "data/selection/sample_columns.hpp"
#include "plan/blocks.hpp"
#include "plan/windows.hpp"

namespace headrace::service::blueprint {

struct BlockSums {
  static constexpr std::uint64_t bytes_a_block = 2 * sizeof(double) + sizeof(std::uint64_t);

  std::string name;                    ///< "label", "one_hot.3"
  std::vector<double> means, squares;  ///< of each block: of the values, and of their distances from the mean, squared
  std::vector<std::uint64_t> counts;   ///< finite values of each block
};

/// Which samples count, and how often: f(first, count, copies) for each run of them in [first, last), of one set after
/// the other.
using Run = std::function<void(std::uint64_t first, std::uint64_t count, std::uint64_t copies)>;
using Runs = std::function<void(std::uint64_t first, std::uint64_t last, const Run& f)>;

/// The blocks that a rank reads; those of all ranks follow each other.
struct BlockRange {
  std::uint64_t first = 0, last = 0;
};

/// The columns of the selected datasets that tell something and cost little to read: numbers, few in a row. None of
/// an inventory, whose files would have to be decoded for them.
std::vector<std::string> small_columns(const catalog::Catalog& catalog);

/// Per stream: a block may hold other values of what one stream has than of what another has. Collective: each rank
/// reads its part of the blocks, and is asked for samples of these alone. Texts are left out.
std::vector<std::vector<BlockSums>> sum_blocks(const catalog::Contents& contents, const catalog::Catalog& catalog,
                                               const std::vector<std::string>& columns, const plan::Blocks& blocks,
                                               BlockRange mine, const std::vector<Runs>& streams, const mpi::Comm& comm,
                                               const reader::LoadOptions& options);

/// How a stream in windows meets a column. Blocks count by the rows that the stream has of them.
struct Mixing {
  std::string name;
  double between = 0;  ///< share of the variance that lies between blocks
  double within = 0;   ///< that lies between the blocks of a run
  bool told = true;    ///< whether that is so; else the variance is beyond all numbers
};
Mixing mixing_of(const BlockSums& sums, const plan::Windows& windows);

}  // namespace headrace::service::blueprint
