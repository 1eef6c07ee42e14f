#include "service/loading/outside_validity.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "mpi/agree.hpp"
#include "service/loading/store_sink.hpp"
#include "transform/cells.hpp"

namespace headrace::service::loading {

namespace {

using From = data::fields::ValiditySource::From;

/// Keeps the records real that this dataset calls so, too.
class ValiditySink : public reader::Sink {
 public:
  ValiditySink(const data::fields::FieldPlan& plan, const AskedSamples& asked, const catalog::Catalog& catalog,
               std::vector<std::byte>& valid)
      : plan_(plan), asked_(asked), catalog_(catalog), valid_(valid) {}
  std::byte* place(std::size_t, std::uint64_t, std::uint64_t) override { return nullptr; }
  void accept(std::size_t, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    const auto me = asked_.topology.me();
    const auto row_bytes = catalog_.row_bytes_at(0, first);
    asked_.members.runs(me, first, first + rows, [&](std::uint64_t sample, std::uint64_t count) {
      keep(sample, count, raw + (sample - first) * row_bytes,
           valid_.data() + (asked_.members.place(me, sample) - asked_.first) * plan_.spec().records);
    });
  }

 private:
  void keep(std::uint64_t sample, std::uint64_t count, const std::byte* raw, std::byte* to) const {
    std::vector<std::byte> own(count * plan_.spec().records);
    const auto both = [&] {
      for (std::size_t i = 0; i < own.size(); ++i) to[i] &= own[i];
    };
    if (plan_.validity.from == From::dataset) {
      transform::load_nonzero(plan_.valid_cell_at(catalog_, sample),
                              {.first = raw, .stride = plan_.valid_stride_at(catalog_, sample)}, own.size(),
                              reinterpret_cast<std::uint8_t*>(own.data()));
      return both();
    }
    for (const auto item : plan_.validity.items) {
      if (plan_.dataset(item) != catalog_.datasets[0].path) continue;
      try {
        plan_.transform_at(catalog_, sample).validity(item, raw, count, own.data());
      } catch (const transform::BadValue& bad) {
        throw_bad_value(catalog_, plan_.spec().name, catalog_.datasets[0].path, sample + bad.row, bad);
      }
      both();
    }
  }

  const data::fields::FieldPlan& plan_;
  const AskedSamples& asked_;
  const catalog::Catalog& catalog_;
  std::vector<std::byte>& valid_;
};

/// The datasets that say which records of a field are real, each once.
std::vector<std::string> saying(const data::fields::FieldPlan& plan) {
  if (plan.validity.from == From::dataset) return {plan.validity.dataset};
  std::vector<std::string> paths;
  for (const auto item : plan.validity.items)
    if (std::find(paths.begin(), paths.end(), plan.dataset(item)) == paths.end()) paths.push_back(plan.dataset(item));
  return paths;
}

/// The dataset alone. A file may lack one that is an item's: the other fields' tell how many samples it holds.
catalog::Catalog select(const std::vector<data::fields::FieldPlan>& fields, const data::fields::FieldPlan& plan,
                        const AskedSamples& asked, const std::string& path) {
  std::vector<std::string> paths{path};
  auto missing = data::fields::missing_datasets(fields);
  if (plan.validity.from == From::dataset) missing.erase(path);
  if (missing.count(path) != 0)
    for (const auto& other : data::fields::sample_datasets(fields)) paths.push_back(other);
  auto selected = catalog::select(asked.contents, paths, missing);
  selected.datasets.resize(1);
  const auto& shape = selected.datasets[0].row_shape;
  const bool fits = plan.validity.from != From::dataset || plan.validity.raw.records == plan.spec().records;
  require(
      fits && selected.samples == asked.samples,
      fmt::format("field '{}': valid: '{}' has {} rows of shape {}, and the field {} of {} records", plan.spec().name,
                  path, selected.samples, h5::shape_text(shape), asked.samples, plan.spec().records));
  return selected;
}

}  // namespace

bool combines_validity(const data::fields::FieldPlan& plan) {
  return !plan.join && plan.validity.from == From::items && plan.validity.items.size() > 1;
}

std::vector<std::vector<std::byte>> read_outside_validity(const std::vector<data::fields::FieldPlan>& fields,
                                                          const AskedSamples& asked) {
  std::vector<std::vector<std::byte>> valid(fields.size());
  const auto& all = asked.topology.all;
  const auto agreed = [&](const auto& f) { return asked.alone ? f() : mpi::together(all, f); };
  const auto& ordinals = asked.members.first_ordinals();
  const auto rows =
      asked.count.value_or(ordinals[asked.topology.me() + 1] - ordinals[asked.topology.me()] - asked.first);
  for (std::size_t f = 0; f < fields.size(); ++f) {
    const auto& plan = fields[f];
    if (!plan.needs_validity_first() && !(asked.combined && combines_validity(plan))) continue;
    agreed([&] { valid[f].assign(rows * plan.spec().records, std::byte{1}); });
    for (const auto& path : saying(plan)) {  // one after another: all write to the same bytes
      const auto catalog = agreed([&] { return select(fields, plan, asked, path); });
      ValiditySink sink(plan, asked, catalog, valid[f]);
      if (asked.alone)
        reader::load_alone(catalog, asked.intervals, sink, asked.options);
      else
        reader::load(all, catalog, asked.intervals, sink, asked.options);
    }
  }
  return valid;
}

}  // namespace headrace::service::loading
