#include "service/sample_columns.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "reader/grouping.hpp"
#include "service/cells.hpp"

namespace headrace::service {

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& name, const std::string& why) {
  throw UsageError(what + ": '" + name + "' " + why);
}

transform::Cell cell_in(const h5::DatasetInfo& dataset, const std::string& column, const std::string& what,
                        const std::string& name) {
  if (dataset.type.kind != h5::Kind::compound) {
    if (!column.empty()) refuse(what, name, "has no columns (it is " + h5::text_of(dataset.type) + ")");
    if (const auto cell = cell_of(dataset.type)) return *cell;
    refuse(what, name, "is neither a number nor a text (it is " + h5::text_of(dataset.type) + ")");
  }
  std::vector<std::string> members;
  for (const auto& member : dataset.type.members) {
    members.push_back(member.name);
    if (member.name != column) continue;
    if (const auto cell = cell_of(member.type, member.offset)) return *cell;
    refuse(what, name, "is neither a number nor a text (it is " + h5::text_of(member.type) + ")");
  }
  if (column.empty()) refuse(what, name, "is a table; name one of its columns" + did_you_mean("", members));
  refuse(what, name, "is not there" + did_you_mean(column, members));
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
      if (columns_.columns_[c].dataset == info.path)
        transform::load_values(columns_.columns_[c].cell, raw, info.row_bytes, rows, columns_.values_[c],
                               sample - first_);
  }

 private:
  SampleColumns& columns_;
  std::uint64_t first_;
};

SampleColumns::SampleColumns(const reader::Contents& contents, const reader::Catalog& samples)
    : contents_(contents), samples_(samples) {}

std::size_t SampleColumns::add(const std::string& name, const std::string& what) {
  for (std::size_t c = 0; c < columns_.size(); ++c)
    if (columns_[c].name == name) return c;
  const auto& file = contents_[0];
  const auto parts = take_apart(name, [&](const std::string& path) { return reader::find(file, path) != nullptr; });
  if (!parts) refuse(what, name, "names no dataset" + dataset_meant(name, reader::names(file)));
  const auto& dataset = *reader::find(file, parts->first);
  if (dataset.row_elements() != 1 || dataset.dims.empty())
    refuse(what, name, "has shape " + h5::shape_text(dataset.dims) + "; one value per sample is needed");
  columns_.push_back({name, parts->first, cell_in(dataset, parts->second, what, name)});
  return columns_.size() - 1;
}

bool SampleColumns::is_whole(std::size_t column) const {
  const auto values = transform::make_values(columns_[column].cell, 0);
  return std::holds_alternative<std::vector<std::int64_t>>(values) ||
         std::holds_alternative<std::vector<std::uint64_t>>(values);
}

std::uint64_t SampleColumns::row_bytes() const {
  std::set<std::string> paths;
  for (const auto& column : columns_) paths.insert(column.dataset);
  std::uint64_t bytes = 0;
  for (const auto& path : paths) bytes += reader::find(contents_[0], path)->type.size;
  return bytes;
}

void SampleColumns::make_catalog() {
  std::vector<std::string> paths;
  for (const auto& column : columns_) paths.push_back(column.dataset);
  catalog_ = reader::select(contents_, paths);
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
  for (const auto& column : columns_) values_.push_back(transform::make_values(column.cell, last - first));
  Sink sink(*this, first);
  reader::load(comm, catalog_, intervals, sink, options);
}

}  // namespace headrace::service
