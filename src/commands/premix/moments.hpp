// What salt asks for beside a file of layout = "ftag": mean and deviation of each variable, and how often each label
// occurs, over the rows of the stream. Figures are kept per block and merged in the blocks' order, so that they do not
// depend on who computed them. add() from any worker; the rest by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "commands/writing/block_run.hpp"
#include "commands/writing/layout.hpp"
#include "mpi/comm.hpp"
#include "transform/statistics.hpp"

namespace headrace::commands::premix {

class Moments {
 public:
  Moments(const writing::Layout& layout, const Schema& schema);

  void add(const writing::Block& block, std::span<const std::byte* const> fields) EXCLUDES(mutex_);
  /// Of these blocks those that no rank has added. Collective.
  std::vector<writing::Block> missing(const mpi::Comm& all, const std::vector<writing::Block>& blocks) EXCLUDES(mutex_);
  /// Collective: from here on the first rank has the sums of all.
  void collect(const mpi::Comm& all) EXCLUDES(mutex_);

  /// At the first rank: what stands in norm_dict.yaml and class_dict.yaml, and the counts of the jets' labels as JSON.
  std::string norm_yaml() const;
  std::string class_yaml() const;
  std::string label_counts() const;

 private:
  /// A member of a dataset.
  struct Variable {
    std::size_t table = 0, member = 0;
    bool label = false;  ///< counted, not averaged
  };
  using Sums = transform::Moments;
  using Counts = std::map<std::int64_t, std::uint64_t>;  // of a label's values
  std::vector<double> values(const formats::Table& table, std::size_t member, std::size_t rows,
                             std::span<const std::byte* const> fields) const;

  const writing::Layout layout_;
  const Schema schema_;
  std::vector<Variable> variables_;
  Mutex mutex_;
  std::map<std::uint64_t, std::vector<Sums>> blocks_ GUARDED_BY(mutex_);  // by their first row
  std::vector<Counts> counts_ GUARDED_BY(mutex_);  // per variable
  std::vector<Sums> total_;                        // once collected
  std::vector<Counts> total_counts_;
};

}  // namespace headrace::commands::premix
