#include "transform/plugin_stage.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include "transform/bad_value.hpp"
#include "transform/column_types.hpp"
#include "transform/numbers/cast_or_throw.hpp"
#include "transform/plugin.hpp"
#include "transform/steps.hpp"

namespace headrace::transform {
namespace {

/// What happens to a column before and after the plugin, which sees values as W.
template <class W>
class StagedColumn {
 public:
  virtual ~StagedColumn() = default;
  virtual void before(const Records& records, std::size_t n, W* values) const = 0;
  /// May change the values.
  virtual void finish(W* values, std::size_t n, std::byte* out) const = 0;
};

/// S: the type in which the steps are computed.
template <class W, class S>
class StagedAs final : public StagedColumn<W> {
 public:
  StagedAs(const ColumnSpec& column, const Target& target)
      : steps_(column, true), to_(target.dtype), overflow_(target.overflow) {}

  void before(const Records& records, std::size_t n, W* values) const override {
    if constexpr (std::is_same_v<W, S>) {
      steps_.before_plugin(records, n, values);
    } else {
      S own[block_values];
      steps_.before_plugin(records, n, own);
      std::transform(own, own + n, values, [](S value) { return static_cast<W>(value); });
    }
  }
  void finish(W* values, std::size_t n, std::byte* out) const override {
    if constexpr (std::is_same_v<W, S>) {
      finish_own(values, n, out);
    } else {
      S own[block_values];
      std::copy(values, values + n, own);
      finish_own(own, n, out);
    }
  }

 private:
  void finish_own(S* values, std::size_t n, std::byte* out) const {
    steps_.after_plugin(values, n);
    numbers::cast_or_throw(values, n, to_, overflow_, out);
  }

  Steps<S> steps_;
  DType to_;
  Overflow overflow_;
};

template <class W>
std::unique_ptr<StagedColumn<W>> make_staged(const ColumnSpec& column, const Target& target) {
  if (computed_wide(column, target.dtype)) return std::make_unique<StagedAs<W, double>>(column, target);
  return std::make_unique<StagedAs<W, W>>(column, target);
}

template <class W>
class StageOf final : public PluginStage {
 public:
  StageOf(const ItemSpec& item, const Target& target)
      : item_(item), target_(target), records_(item.repeated ? 1 : target.records) {
    for (const auto& column : item.columns) staged_.push_back(make_staged<W>(column, target));
  }

  void apply(const RecordWalk::Rows& rows, std::byte* out) const override {
    auto buffer = transformed(rows);
    for_each_block(rows, [&](const Block& block) { finish(buffer, block, rows.valid, out); });
  }

  void apply_record(const std::byte* raw, std::uint64_t record, std::byte* out) const override {
    const auto block = single(raw, record);
    finish(transformed(block), block, nullptr, out);
  }

  void measure(const RecordWalk::Rows& rows, ItemStatistics& statistics) const override {
    const auto buffer = transformed(rows);
    for_each_block(rows, [&](const Block& block) { measure(buffer, block, statistics); });
  }

  void measure_record(const std::byte* raw, std::uint64_t record, ItemStatistics& statistics) const override {
    const auto block = single(raw, record);
    measure(transformed(block), block, statistics);
  }

 private:
  struct Buffer {
    Buffer(std::uint64_t first_, std::uint64_t records, std::size_t columns_)
        : first(first_), columns(columns_), values(records * columns_), valid(records) {}
    std::size_t at(std::uint64_t record, std::size_t column) const { return (record - first) * columns + column; }

    std::uint64_t first;  ///< record
    std::size_t columns;
    std::vector<W> values;
    std::vector<std::uint8_t> valid;
  };

  template <class Job>
  void for_each_block(const RecordWalk::Rows& rows, Job&& job) const {
    RecordWalk walk(item_, target_.records, target_.truncate, rows, block_values);
    for (Block block; walk.next(block);) job(block);
  }

  Buffer transformed(const RecordWalk::Rows& rows) const {
    Buffer buffer(rows.begin * records_, (rows.end - rows.begin) * records_, staged_.size());
    for_each_block(rows, [&](const Block& block) { load(buffer, block); });
    call(buffer, rows.begin, rows.end - rows.begin, records_);
    return buffer;
  }

  static Block single(const std::byte* raw, std::uint64_t record) {
    return {.records = {.first = raw, .stride = 0}, .n = 1, .first = record};
  }

  Buffer transformed(const Block& one) const {
    Buffer buffer(one.first, 1, staged_.size());
    load(buffer, one);
    call(buffer, 0, 1, 1);
    return buffer;
  }

  void measure(const Buffer& buffer, const Block& block, ItemStatistics& statistics) const {
    double values[block_values];
    for (std::size_t c = 0; c < staged_.size(); ++c) {
      for (std::size_t i = 0; i < block.n; ++i) values[i] = buffer.values[buffer.at(block[i], c)];
      add_finite(values, block.n, statistics.columns[c]);
    }
  }

  /// With every record valid or not: which column of which record is wrong is known here alone.
  template <class Job>
  void each_column(const Block& block, Job&& job) const {
    for (std::size_t c = 0; c < staged_.size(); ++c) try {
        job(c);
      } catch (const numbers::BadElement& bad) {
        throw_bad_value(target_, block, bad.index, item_.columns[c].name, bad.what());
      }
  }

  void load(Buffer& buffer, const Block& block) const {
    for (std::size_t i = 0; i < block.n; ++i) buffer.valid[block[i] - buffer.first] = 1;
    each_column(block, [&](std::size_t c) {
      W values[block_values];
      staged_[c]->before(block.records, block.n, values);
      for (std::size_t i = 0; i < block.n; ++i) buffer.values[buffer.at(block[i], c)] = values[i];
    });
  }

  void call(Buffer& buffer, std::uint64_t first_row, std::uint64_t rows, std::uint64_t records) const {
    try {
      item_.plugin->apply(buffer.values.data(), buffer.valid.data(), rows, records,
                          static_cast<std::uint32_t>(staged_.size()));
    } catch (const Plugin::Refusal& refusal) {
      throw BadValue(first_row + refusal.row, 0, "", refusal.what());
    }
  }

  void finish(const Buffer& buffer, const Block& block, const std::byte* valid, std::byte* out) const {
    each_column(block, [&](std::size_t c) {
      W values[block_values];
      std::byte words[block_values * 8];
      for (std::size_t i = 0; i < block.n; ++i) values[i] = buffer.values[buffer.at(block[i], c)];
      staged_[c]->finish(values, block.n, words);
      place(target_, words, target_.size, block, c * target_.size, valid, out);
    });
  }

  const ItemSpec& item_;
  Target target_;
  std::uint64_t records_;  ///< that the plugin sees per row
  std::vector<std::unique_ptr<StagedColumn<W>>> staged_;
};

}  // namespace

std::unique_ptr<PluginStage> make_plugin_stage(const ItemSpec& item, const Target& target) {
  if (std::any_of(item.columns.begin(), item.columns.end(), wide))
    return std::make_unique<StageOf<double>>(item, target);
  return std::make_unique<StageOf<float>>(item, target);
}

void add_finite(double* values, std::size_t n, Moments& moments) {
  const auto end = std::remove_if(values, values + n, [](double value) { return !std::isfinite(value); });
  moments.add(values, static_cast<std::uint64_t>(end - values));
}

void throw_bad_value(const Target& target, const Block& block, std::size_t i, const std::string& column,
                     const std::string& what) {
  const auto at = block[i];
  if (target.repeated) throw BadValue(at, 0, column, what);
  throw BadValue(at / target.records, at % target.records, column, what);
}

}  // namespace headrace::transform
