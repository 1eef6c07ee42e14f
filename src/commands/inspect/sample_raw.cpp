#include "commands/inspect/sample_raw.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "data/columns/item_types.hpp"
#include "data/selection/column_values.hpp"

namespace headrace::commands::inspect {

namespace {

/// Hands rows on, one by one; what they point to is there only during the call.
class RowSink : public reader::Sink {
 public:
  using Take = std::function<void(std::uint64_t row, const std::byte* raw)>;
  RowSink(std::uint64_t row_bytes, Take take) : row_bytes_(row_bytes), take_(std::move(take)) {}
  std::byte* place(std::size_t, std::uint64_t, std::uint64_t) override { return nullptr; }
  void accept(std::size_t, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    for (std::uint64_t i = 0; i < rows; ++i) take_(first + i, raw + i * row_bytes_);
  }

 private:
  std::uint64_t row_bytes_;
  Take take_;
};

std::vector<reader::Interval> intervals_of(const std::vector<std::uint64_t>& rows) {
  std::vector<reader::Interval> intervals;
  for (const auto row : rows)
    if (!intervals.empty() && intervals.back().last == row)
      ++intervals.back().last;
    else
      intervals.push_back({row, row + 1});
  return intervals;
}

std::vector<std::uint64_t> joined(std::vector<std::uint64_t> shape, const std::vector<std::uint64_t>& more) {
  shape.insert(shape.end(), more.begin(), more.end());
  return shape;
}

/// The axes of a plain dataset's rows that its records go along.
std::vector<std::uint64_t> records_of(const catalog::DatasetInfo& dataset, std::uint64_t records) {
  const auto all = joined(dataset.row_shape, h5::elements_of(dataset.type).dims);
  std::vector<std::uint64_t> shape;
  std::uint64_t n = 1;
  for (std::size_t i = 0; i < all.size() && n < records; ++i) {
    shape.push_back(all[i]);
    n *= all[i];
  }
  return shape;
}

/// A column's cells of one row, behind those that are there.
void append(const transform::ItemSpec& item, const transform::Cell& cell, std::uint64_t elements, const std::byte* raw,
            ValueArray& array) {
  std::uint64_t stride = item.raw.record_bytes, n = item.raw.records;
  if (item.raw.ragged) {
    const auto& row = *reinterpret_cast<const transform::Ragged*>(raw);
    raw = row.data;
    n = row.length;
    array.shape = {n};
  } else if (elements > 0) {  // a plain dataset as it stands
    n = elements;
    stride = cell.bytes;
  }
  const auto before = std::visit([](const auto& all) { return all.size(); }, array.values);
  std::visit([&](auto& all) { all.resize(before + n); }, array.values);
  data::selection::load_values(cell, raw, stride, n, array.values, before);
}

}  // namespace

RawRows::RawRows(const catalog::Contents& contents, const service::blueprint::Blueprint& blueprint, std::uint64_t row,
                 const mpi::Comm& alone, const reader::LoadOptions& options)
    : contents_(contents), blueprint_(blueprint), row_(row), alone_(alone), options_(options) {}

std::vector<std::uint64_t> RawRows::table_rows(const data::fields::Join& join) const {
  const auto ids = catalog::select(contents_, {join.ids});
  const auto cell = data::columns::cell_of(ids.datasets[0].type).value();
  std::vector<std::uint64_t> rows;
  RowSink sink(ids.datasets[0].row_bytes, [&](std::uint64_t row, const std::byte* raw) {
    auto value = data::selection::make_values(cell, 1);
    data::selection::load_values(cell, raw, cell.bytes, 1, value, 0);
    std::visit(
        [&](const auto& id) {
          if constexpr (requires { static_cast<std::int64_t>(id[0]); })
            if (static_cast<std::int64_t>(id[0]) - join.base == static_cast<std::int64_t>(row_)) rows.push_back(row);
        },
        value);
  });
  const std::vector<reader::Interval> all{{0, ids.samples}};
  reader::load(alone_, ids, all, sink, options_);
  std::sort(rows.begin(), rows.end());
  return rows;
}

void RawRows::read_item(const data::fields::FieldPlan& plan, std::size_t item, const std::vector<std::uint64_t>& rows,
                        std::vector<ValueArray>& arrays) const {
  const auto& spec = plan.spec().items[item];
  const auto catalog = catalog::select(contents_, {plan.dataset(item)});
  const auto& dataset = catalog.datasets[0];
  const auto& first_cell = spec.columns[0].cell;
  const bool compound = data::columns::record_of(dataset.type).compound;
  // A plain dataset is shown as it stands, unless only some of its columns were asked for.
  const bool plain = !compound && !spec.raw.ragged && spec.columns[0].name.empty();
  std::uint64_t elements = plain ? 1 : 0;
  auto shape = dataset.row_shape;
  if (plain) {
    shape = joined(
        shape, data::columns::plain_values(dataset.type, first_cell.kind != transform::CellKind::number).value().dims);
    for (const auto extent : shape) elements *= extent;
  } else if (compound) {
    shape = joined(shape, data::columns::record_of(dataset.type).dims);
  } else if (!spec.raw.ragged) {
    shape = records_of(dataset, spec.raw.records);
  }
  if (plan.join) shape.insert(shape.begin(), rows.size());
  const auto first = arrays.size();
  for (std::size_t c = 0; c < (plain ? 1 : spec.columns.size()); ++c) {
    const auto& column = spec.columns[c];
    const auto name = column.name.empty() ? dataset.path : dataset.path + "." + column.name;
    const auto& cell = column.cell;
    const std::string type = cell.kind == transform::CellKind::number ? std::string(name_of(cell.dtype)) : "text";
    arrays.push_back(
        {name, cell.big_endian ? type + " (big-endian)" : type, shape, data::selection::make_values(cell, 0)});
  }
  RowSink sink(dataset.row_bytes, [&](std::uint64_t, const std::byte* raw) {
    for (std::size_t a = first; a < arrays.size(); ++a)
      append(spec, spec.columns[a - first].cell, elements, raw, arrays[a]);
  });
  const auto intervals = intervals_of(rows);
  auto options = options_;
  options.threads = 1;  // rows come in order
  reader::load(alone_, catalog, intervals, sink, options);
}

std::vector<ValueArray> RawRows::of(const data::fields::FieldPlan& plan) const {
  std::vector<ValueArray> arrays;
  const auto rows = plan.join ? table_rows(*plan.join) : std::vector<std::uint64_t>{row_};
  for (std::size_t i = 0; i < plan.spec().items.size(); ++i)
    if (!plan.dataset(i).empty()) read_item(plan, i, rows, arrays);
  return arrays;
}

}  // namespace headrace::commands::inspect
