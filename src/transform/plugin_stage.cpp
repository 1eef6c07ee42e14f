#include "transform/plugin_stage.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "transform/bad_element.hpp"
#include "transform/column.hpp"
#include "transform/field_transform.hpp"
#include "transform/plugin.hpp"
#include "transform/steps.hpp"

namespace headrace::transform {
namespace {

template <class W>
class StageOf final : public PluginStage {
 public:
  StageOf(const ItemSpec& item, const Target& target)
      : item_(item), target_(target), records_(item.repeated ? 1 : target.records) {
    for (const auto& column : item.columns) steps_.emplace_back(column, true);
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
    Buffer buffer(rows.begin * records_, (rows.end - rows.begin) * records_, steps_.size());
    for_each_block(rows, [&](const Block& block) { load(buffer, block); });
    call(buffer, rows.begin, rows.end - rows.begin, records_);
    return buffer;
  }

  static Block single(const std::byte* raw, std::uint64_t record) {
    return {.records = {.first = raw, .stride = 0}, .n = 1, .first = record};
  }

  Buffer transformed(const Block& one) const {
    Buffer buffer(one.first, 1, steps_.size());
    load(buffer, one);
    call(buffer, 0, 1, 1);
    return buffer;
  }

  void measure(const Buffer& buffer, const Block& block, ItemStatistics& statistics) const {
    double values[block_values];
    for (std::size_t c = 0; c < steps_.size(); ++c) {
      for (std::size_t i = 0; i < block.n; ++i) values[i] = buffer.values[buffer.at(block[i], c)];
      add_finite(values, block.n, statistics.columns[c]);
    }
  }

  /// With every record valid or not: which column of which record is wrong is known here alone.
  template <class Job>
  void each_column(const Block& block, Job&& job) const {
    for (std::size_t c = 0; c < steps_.size(); ++c) try {
        job(c);
      } catch (const BadElement& bad) {
        throw_bad_value(target_, block, bad.index, item_.columns[c].name, bad.what());
      }
  }

  void load(Buffer& buffer, const Block& block) const {
    for (std::size_t i = 0; i < block.n; ++i) buffer.valid[block[i] - buffer.first] = 1;
    each_column(block, [&](std::size_t c) {
      W values[block_values];
      steps_[c].before_plugin(block.records, block.n, values);
      for (std::size_t i = 0; i < block.n; ++i) buffer.values[buffer.at(block[i], c)] = values[i];
    });
  }

  void call(Buffer& buffer, std::uint64_t first_row, std::uint64_t rows, std::uint64_t records) const {
    try {
      item_.plugin->apply(buffer.values.data(), buffer.valid.data(), rows, records,
                          static_cast<std::uint32_t>(steps_.size()));
    } catch (const Plugin::Refusal& refusal) {
      throw BadValue(first_row + refusal.row, 0, "", refusal.what());
    }
  }

  void finish(const Buffer& buffer, const Block& block, const std::byte* valid, std::byte* out) const {
    each_column(block, [&](std::size_t c) {
      W values[block_values];
      std::byte words[block_values * 8];
      for (std::size_t i = 0; i < block.n; ++i) values[i] = buffer.values[buffer.at(block[i], c)];
      steps_[c].after_plugin(values, block.n);
      cast_or_throw(values, block.n, target_.dtype, target_.overflow, words);
      place(target_, words, target_.size, block, c * target_.size, valid, out);
    });
  }

  const ItemSpec& item_;
  Target target_;
  std::uint64_t records_;  ///< that the plugin sees per row
  std::vector<Steps<W>> steps_;
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
