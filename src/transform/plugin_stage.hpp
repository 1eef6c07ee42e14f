// Columns of an item that pass through a plugin together. Immutable; any thread.
#pragma once

#include <memory>

#include "transform/record_walk.hpp"
#include "transform/statistics.hpp"
#include "transform/target.hpp"

namespace headrace::transform {

class PluginStage {
 public:
  virtual ~PluginStage() = default;
  /// Finished values of some rows' valid records; the others are filled already. Throws BadValue.
  virtual void apply(const RecordWalk::Rows& rows, std::byte* out) const = 0;
  /// The same for one record alone.
  virtual void apply_record(const std::byte* raw, std::uint64_t record, std::byte* out) const = 0;
  virtual void measure(const RecordWalk::Rows& rows, ItemStatistics& statistics) const = 0;
  virtual void measure_record(const std::byte* raw, std::uint64_t record, ItemStatistics& statistics) const = 0;
};

/// item: outlives the stage. Throws UsageError.
std::unique_ptr<PluginStage> make_plugin_stage(const ItemSpec& item, const Target& target);

/// Adds the finite ones of n values.
void add_finite(double* values, std::size_t n, Moments& moments);

/// Row, record and column of a bad element of a block.
[[noreturn]] void throw_bad_value(const Target& target, const Block& block, std::size_t i, const std::string& column,
                                  const std::string& what);

}  // namespace headrace::transform
