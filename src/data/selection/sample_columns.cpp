#include "data/selection/sample_columns.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "catalog/grouping.hpp"
#include "config/dataset_name.hpp"
#include "config/source_item.hpp"
#include "data/columns/cells.hpp"
#include "data/columns/item.hpp"
#include "data/columns/item_types.hpp"

namespace headrace::data::selection {

namespace {

std::vector<std::uint64_t> rows_of(const h5::DatasetInfo& dataset) {
  return dataset.dims.empty() ? dataset.dims : std::vector<std::uint64_t>(dataset.dims.begin() + 1, dataset.dims.end());
}

[[noreturn]] void refuse(const std::string& what, const std::string& name, const std::string& why) {
  throw UsageError(what + ": '" + name + "' " + why);
}

/// The only one that is there for each sample.
transform::Cell cell_in(const h5::DatasetInfo& dataset, const std::string& column, const std::string& what,
                        const std::string& name) {
  const columns::RawDataset raw{.path = dataset.path, .type = dataset.type, .row_shape = rows_of(dataset)};
  if (dataset.type.kind == h5::Kind::vlen)
    refuse(what, name, "has rows of variable length (it is " + h5::text_of(dataset.type) + ")");
  if (column.empty() && columns::record_of(dataset.type).compound) {
    std::vector<std::string> members;
    for (const auto& member : columns::record_of(dataset.type).type->members) members.push_back(member.name);
    refuse(what, name, "is a table; name one of its columns" + did_you_mean("", members));
  }
  columns::ItemLayout item;
  try {
    item = columns::lay_out({dataset.path, column.empty() ? std::vector<std::string>{} : std::vector{column}, false},
                            raw, false, true);
  } catch (const UsageError& error) {
    const std::string why = error.what(), gone = "dataset '" + dataset.path + "' has no column '" + column + "'";
    refuse(what, name,
           why.starts_with(gone) ? "is not there" + why.substr(gone.size()) : "cannot be looked at (" + why + ")");
  }
  if (item.raw.records != 1 || columns::column_count(item) != 1)
    refuse(what, name,
           "has shape " + h5::shape_text(dataset.dims) + "; one value per sample is needed" +
               (item.plain ? ", as in " + name + ".0" : ""));
  return item.columns[0].cell;
}

bool is_number(const transform::Cell& cell) {
  return cell.kind == transform::CellKind::number;
}

/// What values of all files can be brought to; nothing where that would lose some.
std::optional<transform::Cell> common_cell(const std::vector<transform::Cell>& cells) {
  auto common = cells[0];
  for (const auto& cell : cells) {
    if (is_number(cell) != is_number(common)) return std::nullopt;
    if (is_number(cell)) common.dtype = transform::result_type(common.dtype, cell.dtype);
  }
  for (const auto& cell : cells)
    if (is_number(cell) && !columns::holds_all_of(common.dtype, cell.dtype)) return std::nullopt;
  return common;
}

}  // namespace

/// Values into place; rows come from several threads, each row once.
class SampleColumns::Sink : public reader::Sink {
 public:
  Sink(SampleColumns& columns, std::uint64_t first) : columns_(columns), first_(first) {}
  std::byte* place(std::size_t, std::uint64_t, std::uint64_t) override { return nullptr; }
  void accept(std::size_t dataset, std::uint64_t sample, std::uint64_t rows, const std::byte* raw) override {
    const auto& info = columns_.catalog_.datasets[dataset];
    for (std::size_t c = 0; c < columns_.columns_.size(); ++c)
      if (columns_.columns_[c].dataset == info.path) {
        const auto& cells = columns_.columns_[c].cells;
        const auto file = columns_.catalog_.file_of(sample);
        load_values(cells[cells.size() == 1 ? 0 : file], raw, info.in_file[file].row_bytes(), rows, columns_.values_[c],
                    sample - first_);
      }
  }

 private:
  SampleColumns& columns_;
  std::uint64_t first_;
};

SampleColumns::SampleColumns(const catalog::Contents& contents, const catalog::Catalog& samples)
    : contents_(contents), samples_(samples) {}

std::size_t SampleColumns::add(const std::string& name, const std::string& what) {
  for (std::size_t c = 0; c < columns_.size(); ++c)
    if (columns_[c].name == name) return c;
  const auto& file = contents_[0];
  const auto parts =
      config::take_apart(name, [&](const std::string& path) { return catalog::find(file, path) != nullptr; });
  if (!parts)
    for (const auto& path : {name, name.substr(0, name.rfind('.'))})
      if (const auto dead = catalog::dead_link(contents_, path); !dead.empty())
        refuse(what, name, "leads nowhere: " + dead);
  if (!parts) refuse(what, name, "names no dataset" + config::dataset_meant(name, catalog::names(file)));
  const auto& dataset = *catalog::find(file, parts->first);
  if (dataset.dims.empty()) refuse(what, name, "is a single value; one value per sample is needed");
  Column column{name, parts->first, {}, {}};
  const h5::TypeInfo* before = nullptr;
  for (const auto& other : contents_) {
    const auto* here = catalog::find(other, parts->first);
    if (here == nullptr) refuse(what, name, "is missing in " + other.path);
    const bool alike = before != nullptr && *before == here->type && !here->dims.empty();
    column.cells.push_back(alike ? column.cells.back() : cell_in(*here, parts->second, what, name));
    before = &here->type;
  }
  const auto common = common_cell(column.cells);
  if (!common) refuse_types(what, name, parts->first, column.cells);
  column.cell = *common;
  if (std::all_of(column.cells.begin(), column.cells.end(), [&](const auto& cell) { return cell == column.cells[0]; }))
    column.cells.resize(1);
  columns_.push_back(std::move(column));
  return columns_.size() - 1;
}

/// Names two files whose types no common one holds.
void SampleColumns::refuse_types(const std::string& what, const std::string& name, const std::string& dataset,
                                 const std::vector<transform::Cell>& cells) const {
  for (std::size_t f = 1; f < cells.size(); ++f) {
    if (common_cell({cells[0], cells[f]}) && f + 1 < cells.size()) continue;
    const auto [here, there] =
        h5::told_apart(catalog::find(contents_[0], dataset)->type, catalog::find(contents_[f], dataset)->type);
    refuse(what, name,
           "is of " + here + " in " + contents_[0].path + " but of " + there + " in " + contents_[f].path +
               ", and no type holds the values of both");
  }
}

std::size_t SampleColumns::add_item(const std::string& text, const std::string& what) {
  const auto there = [&](const std::string& path) { return catalog::find(contents_[0], path) != nullptr; };
  return add(config::plain_name(text, there), what);
}

bool SampleColumns::is_whole(std::size_t column) const {
  const auto values = make_values(columns_[column].cell, 0);
  return std::holds_alternative<std::vector<std::int64_t>>(values) ||
         std::holds_alternative<std::vector<std::uint64_t>>(values);
}

std::uint64_t SampleColumns::row_bytes() const {
  std::set<std::string> paths;
  for (const auto& column : columns_) paths.insert(column.dataset);
  std::uint64_t bytes = 0;
  for (const auto& path : paths) bytes += catalog::find(contents_[0], path)->row_bytes();
  return bytes;
}

void SampleColumns::make_catalog() {
  std::vector<std::string> paths;
  for (const auto& column : columns_) paths.push_back(column.dataset);
  catalog_ = catalog::select(contents_, paths);
  for (std::size_t f = 0; f < catalog_.files.size(); ++f)
    if (catalog_.files[f].samples != samples_.files[f].samples)
      throw Error("dataset '" + catalog_.datasets[0].path + "' has " + std::to_string(catalog_.files[f].samples) +
                  " rows in " + catalog_.files[f].path + ", where the fields have " +
                  std::to_string(samples_.files[f].samples) + " samples; conditions need one value per sample");
}

void SampleColumns::read(const mpi::Comm& comm, std::uint64_t first, std::uint64_t last,
                         std::span<const reader::Interval> intervals, const reader::LoadOptions& options) {
  if (catalog_.datasets.empty()) make_catalog();
  values_.clear();
  for (const auto& column : columns_) values_.push_back(make_values(column.cell, last - first));
  Sink sink(*this, first);
  reader::load(comm, catalog_, intervals, sink, options);
}

}  // namespace headrace::data::selection
