#include "service/store_sink.hpp"

#include <algorithm>

namespace headrace::service {

StoreSink::StoreSink(const Blueprint& blueprint, const Topology& topology, store::NodeStore& store)
    : blueprint_(blueprint),
      store_(store),
      stager_(topology.me()),
      local_(topology.local()),
      fields_of_(blueprint.catalog.datasets.size()) {
  for (std::size_t f = 0; f < blueprint.sources.size(); ++f) {
    const auto& element = blueprint.catalog.datasets[blueprint.sources[f]].element;
    fields_of_[blueprint.sources[f]].push_back(f);
    transforms_.emplace_back(
        transform::Source{element.dtype, element.big_endian, blueprint.schema[f].elements()});
  }
}

bool StoreSink::stored_in_a_row(std::uint64_t first_sample, std::uint64_t rows) const {
  const auto& stored = blueprint_.placement.stored();
  return stored.lower_bound({first_sample + rows}) - stored.lower_bound({first_sample}) == rows;
}

std::byte* StoreSink::at(std::size_t field, std::uint64_t sample) const {
  return store_.column(local_, field) +
         blueprint_.placement.row(stager_, sample) * blueprint_.schema[field].row_bytes();
}

std::byte* StoreSink::place(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows) {
  const auto& fields = fields_of_[dataset];
  if (fields.size() != 1 || !transforms_[fields.front()].identity() || !stored_in_a_row(first_sample, rows))
    return nullptr;
  return at(fields.front(), first_sample);
}

void StoreSink::accept(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows, const std::byte* raw) {
  const auto& info = blueprint_.catalog.datasets[dataset];
  const auto& stored = blueprint_.placement.stored();
  const auto convert = [&](std::size_t field, std::uint64_t sample, std::uint64_t count) {
    transforms_[field].apply(raw + (sample - first_sample) * info.row_bytes, count, at(field, sample));
  };
  for (const auto field : fields_of_[dataset]) {
    if (stored_in_a_row(first_sample, rows)) {
      convert(field, first_sample, rows);
      continue;
    }
    const auto last = stored.lower_bound({first_sample + rows});
    for (auto k = stored.lower_bound({first_sample}); k < last; ++k) convert(field, stored.sample(k).value, 1);
  }
}

std::vector<reader::Interval> intervals_to_read(const plan::Placement& placement, std::uint32_t stager) {
  const auto& slab = placement.slab(stager);
  std::vector<reader::Interval> runs;
  for (const auto& range : placement.stored().ranges()) {
    const auto first = std::max(range.first, slab.first), last = std::min(range.last, slab.last);
    if (first >= last) continue;
    if (!runs.empty() && first <= runs.back().last)
      runs.back().last = std::max(runs.back().last, last);
    else
      runs.push_back({first, last});
  }
  return runs;
}

}  // namespace headrace::service
