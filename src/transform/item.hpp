// One item of a field, compiled. Immutable; any thread.
#pragma once

#include <memory>
#include <vector>

#include "transform/column.hpp"
#include "transform/plugin_stage.hpp"
#include "transform/record_walk.hpp"
#include "transform/scaled_columns.hpp"
#include "transform/target.hpp"

namespace headrace::transform {

class Item {
 public:
  /// Throws UsageError.
  Item(const FieldSpec& field, const ItemSpec& spec);
  Item(const Item&) = delete;
  Item& operator=(const Item&) = delete;

  // As the functions of FieldTransform; out and valid belong to row 0.
  void apply(const std::byte* raw, std::uint64_t rows, const std::byte* valid, std::byte* out) const;
  void apply_record(const std::byte* raw, std::uint64_t record, std::byte* out) const;
  void fill(std::uint64_t rows, std::byte* out) const;
  void validity(const std::byte* raw, std::uint64_t rows, std::byte* valid) const;
  void measure(const std::byte* raw, std::uint64_t rows, const std::byte* valid, ItemStatistics& statistics) const;
  void measure_record(const std::byte* raw, std::uint64_t record, ItemStatistics& statistics) const;

  /// Raw rows are finished rows.
  bool identity() const;

 private:
  bool may_be_invalid(const std::byte* valid) const;
  bool is_valid(const Block& single) const;
  void prepare(ItemStatistics& statistics) const;
  bool flat() const;
  bool copied() const;
  void apply_flat(const std::byte* raw, std::uint64_t rows, std::byte* out) const;
  void apply_rows(const RecordWalk::Rows& rows, std::byte* out) const;
  void copy(const Block& block, std::byte* out) const;
  void finish(const Block& block, const std::byte* valid, std::byte* out) const;
  bool finish_at_once(const Block& block, const std::byte* valid, std::byte* out) const;
  void measure(const Block& block, ItemStatistics& statistics) const;
  void prepare_constant();

  ItemSpec spec_;
  Target target_;
  std::shared_ptr<const LabelMap> labels_;
  std::size_t piece_;     ///< bytes of a column's finished record (of all classes, where labels are one-hot)
  std::size_t capacity_;  ///< records of a block
  bool flat_ = false, copied_ = false;
  std::vector<std::unique_ptr<Column>> columns_;  ///< empty for a constant, and with a plugin
  std::unique_ptr<ScaledColumns> scaled_;         ///< all columns at once, where that can be
  std::unique_ptr<PluginStage> stage_;
  std::byte constant_[8] = {};
};

}  // namespace headrace::transform
