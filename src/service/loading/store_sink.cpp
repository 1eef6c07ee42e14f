#include "service/loading/store_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "data/fields/weight_field.hpp"

namespace headrace::service::loading {

using Validity = data::fields::ValiditySource::From;

void throw_bad_value(const catalog::Catalog& catalog, const std::string& field, const std::string& dataset,
                     std::uint64_t sample, const transform::BadValue& bad) {
  const auto& file = catalog.files[catalog.file_of(sample)];
  const auto column = bad.column.empty() ? "" : ", column '" + bad.column + "'";
  throw reader::SinkError(fmt::format("field '{}': {} (dataset '{}'{}, row {} of {})", field, bad.what(), dataset,
                                      column, sample - file.first_sample, file.path));
}

StoreSink::StoreSink(const blueprint::Blueprint& blueprint, std::uint32_t stager, const plan::Members& rows, Pane pane)
    : blueprint_(blueprint),
      stager_(stager),
      members_(rows),
      pane_(std::move(pane)),
      validity_(blueprint.fields.size()) {
  for (const auto& dataset : blueprint.catalog.datasets)
    uses_.push_back(data::fields::uses_of(blueprint.fields, dataset.path));
  for (std::size_t f = 0; f < validity_.size(); ++f) {
    const auto& plan = field(f);
    clears_.push_back(plan.clears_at_the_end());
    if (clears_.back() && !plan.mask && !plan.needs_validity_first())
      validity_[f].assign(pane_.rows * plan.spec().records, std::byte{1});
  }
}

void StoreSink::take_validity(std::vector<std::vector<std::byte>> outside) {
  for (std::size_t f = 0; f < outside.size(); ++f)
    if (field(f).needs_validity_first()) validity_[f] = std::move(outside[f]);
}

bool StoreSink::stored_in_a_row(std::uint64_t first_sample, std::uint64_t rows) const {
  return members_.place(stager_, first_sample + rows) - members_.place(stager_, first_sample) == rows;
}

std::byte* StoreSink::at(std::size_t array, std::uint64_t sample) const {
  return pane_.columns[array] + row_of(sample) * blueprint_.schema[array].row_bytes();
}

void StoreSink::fill_constants() {
  const auto rows = pane_.rows;
  for (const auto& plan : blueprint_.fields) {
    if (!plan.by_class.empty()) {
      fill_classes(plan);
      continue;
    }
    if (plan.by_weight) {
      fill_weights(plan);
      continue;
    }
    if (plan.join && plan.spec().fill != 0) plan.transform.clear(rows, pane_.columns[plan.array]);
    for (std::size_t i = 0; i < plan.spec().items.size() && !plan.join; ++i)
      if (plan.dataset(i).empty()) plan.transform.fill(i, rows, pane_.columns[plan.array]);
    if (plan.mask && plan.validity.from != Validity::join)
      std::fill_n(pane_.columns[*plan.mask], rows * plan.spec().records, std::byte{1});
    if (!plan.join) fill_where_missing(plan);
  }
}

/// The classes' samples, as far as they are stored.
void StoreSink::fill_classes(const data::fields::FieldPlan& plan) {
  const auto& slab = pane_.samples;
  for (std::size_t c = 0; c < plan.by_class.size(); ++c) {
    const auto& of_class = blueprint_.classes[c];
    members_.runs(stager_, slab.first, slab.last, [&](std::uint64_t first, std::uint64_t count) {
      of_class.runs(stager_, first, first + count, [&](std::uint64_t sample, std::uint64_t samples) {
        for (std::size_t i = 0; i < plan.by_class[c]->spec().items.size(); ++i)
          plan.by_class[c]->fill(i, samples, at(plan.array, sample));
      });
    });
  }
}

/// Samples that are not weighed have 1.
void StoreSink::fill_weights(const data::fields::FieldPlan& plan) {
  plan.transform.fill(0, pane_.rows, pane_.columns[plan.array]);
  if (!blueprint_.weights) return;
  const auto& [slab, cells, weights] = *blueprint_.weights;
  const auto& here = pane_.samples;
  std::map<std::uint16_t, transform::FieldTransform> of_cells;
  members_.runs(stager_, here.first, here.last, [&](std::uint64_t first, std::uint64_t count) {
    for (auto sample = first; sample < first + count; ++sample) {
      const auto cell = cells[sample - slab.first];
      auto found = of_cells.find(cell);
      if (found == of_cells.end())
        found = of_cells.emplace(cell, data::fields::of_weight(plan.spec(), weights[cell])).first;
      found->second.fill(0, 1, at(plan.array, sample));
    }
  });
}

/// The rows of the files that lack an item's dataset: nothing will be read there.
void StoreSink::fill_where_missing(const data::fields::FieldPlan& plan) {
  const auto& catalog = blueprint_.catalog;
  const auto& slab = pane_.samples;
  for (std::size_t i = 0; i < plan.spec().items.size(); ++i)
    for (std::size_t f = 0; f < catalog.files.size(); ++f) {
      if (plan.by_file.empty() || plan.dataset(i).empty() || !catalog.lacks(plan.dataset(i), f)) continue;
      const auto first = std::max(slab.first, catalog.files[f].first_sample);
      const auto last = std::min(slab.last, catalog.files[f].first_sample + catalog.files[f].samples);
      if (first >= last) continue;
      members_.runs(stager_, first, last, [&](std::uint64_t sample, std::uint64_t count) {
        plan.by_file[f]->fill(i, count, at(plan.array, sample));
      });
    }
}

std::byte* StoreSink::place(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows) {
  const auto& uses = uses_[dataset];
  if (uses.size() != 1) return nullptr;
  const auto& plan = field(uses.front().field);
  const auto& transform = plan.transform_at(blueprint_.catalog, first_sample);
  if (!transform.identity() || plan.mask || !stored_in_a_row(first_sample, rows)) return nullptr;
  return at(plan.array, first_sample);
}

void StoreSink::accept(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows, const std::byte* raw) {
  const auto row_bytes = blueprint_.catalog.row_bytes_at(dataset, first_sample);
  members_.runs(stager_, first_sample, first_sample + rows, [&](std::uint64_t sample, std::uint64_t count) {
    const auto* from = raw + (sample - first_sample) * row_bytes;
    for (const auto& use : uses_[dataset]) convert(use, sample, count, from);
  });
}

void StoreSink::convert(const data::fields::ItemUse& use, std::uint64_t sample, std::uint64_t count,
                        const std::byte* raw) {
  const auto& plan = field(use.field);
  try {
    const std::byte* valid = nullptr;
    if (plan.spec().items[use.item].valid.from == transform::ValidSpec::From::outside)
      valid = validity_[use.field].data() + row_of(sample) * plan.spec().records;
    plan.transform_at(blueprint_.catalog, sample).apply(use.item, raw, count, valid, at(plan.array, sample));
    note_validity(use, sample, count, raw);
  } catch (const transform::BadValue& bad) {
    throw_bad_value(blueprint_.catalog, blueprint_.schema[plan.array].name, plan.dataset(use.item), sample + bad.row,
                    bad);
  }
}

void StoreSink::note_validity(const data::fields::ItemUse& use, std::uint64_t sample, std::uint64_t count,
                              const std::byte* raw) {
  const auto& plan = field(use.field);
  const auto& items = plan.validity.items;
  if (plan.validity.from != Validity::items || plan.needs_validity_first() || (!plan.mask && !clears_[use.field]) ||
      std::find(items.begin(), items.end(), use.item) == items.end())
    return;
  // A mask stands in the store as it is wanted; else the bytes are kept aside until finish().
  const auto records = plan.spec().records;
  auto* to = plan.mask ? at(*plan.mask, sample) : validity_[use.field].data() + row_of(sample) * records;
  const auto& transform = plan.transform_at(blueprint_.catalog, sample);
  if (items.size() == 1) return transform.validity(use.item, raw, count, to);
  thread_local std::vector<std::byte> own;
  own.resize(count * records);
  transform.validity(use.item, raw, count, own.data());
  // Another thread may be at another dataset of the same rows. relaxed: nobody reads before the load is over.
  for (std::uint64_t i = 0; i < count * records; ++i)
    if (own[i] == std::byte{0})
      std::atomic_ref(reinterpret_cast<unsigned char&>(to[i])).store(0, std::memory_order_relaxed);
}

void StoreSink::finish(unsigned threads) {
  constexpr std::uint64_t block = 1024;
  const auto rows = pane_.rows;
  for (std::size_t f = 0; f < clears_.size(); ++f) {
    if (!clears_[f]) continue;
    const auto& plan = field(f);
    const auto& spec = plan.spec();
    const bool in_mask = plan.mask && !plan.needs_validity_first();
    const auto* valid = in_mask ? pane_.columns[*plan.mask] : validity_[f].data();
    auto* out = pane_.columns[plan.array];
    const auto share = [&](std::uint64_t first) {
      for (; first < rows; first += block * threads)
        plan.transform.clear_invalid(std::min(block, rows - first), valid + first * spec.records,
                                     out + first * spec.row_bytes());
    };
    std::vector<std::jthread> helpers;
    for (unsigned t = 1; t < threads; ++t) helpers.emplace_back(share, t * block);
    share(0);
  }
  for (std::size_t f = 0; f < validity_.size(); ++f) {
    if (field(f).mask && field(f).needs_validity_first())
      std::copy(validity_[f].begin(), validity_[f].end(), pane_.columns[*field(f).mask]);
    std::vector<std::byte>().swap(validity_[f]);
  }
}

std::vector<reader::Interval> intervals_to_read(const plan::Members& members, std::uint32_t stager,
                                                const plan::Slab& slab, std::uint64_t gap) {
  std::vector<reader::Interval> intervals;
  const auto add = [&](std::uint64_t first, std::uint64_t last) {
    if (first >= last) return;
    if (!intervals.empty() && first <= intervals.back().last + gap)
      intervals.back().last = std::max(intervals.back().last, last);
    else
      intervals.push_back({first, last});
  };
  if (const auto* selection = members.selection()) {
    for (const auto& segment : selection->segments())
      add(std::max(segment.first, slab.first), std::min(segment.last, slab.last));
  } else {
    members.runs(stager, slab.first, slab.last,
                 [&](std::uint64_t first, std::uint64_t count) { add(first, first + count); });
  }
  return intervals;
}

}  // namespace headrace::service::loading
