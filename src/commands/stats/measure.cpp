#include "commands/stats/measure.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "commands/stats/join.hpp"
#include "commands/stats/merge.hpp"
#include "data/selection/reading.hpp"
#include "mpi/agree.hpp"
#include "service/loading/outside_validity.hpp"
#include "service/loading/store_sink.hpp"

namespace headrace::commands::stats {

namespace {

/// Measures the rows of samples.
class MeasureSink : public reader::Sink {
 public:
  /// validity: as read_outside_validity() gave it.
  MeasureSink(const Survey& survey, const catalog::Catalog& catalog, std::span<const reader::Interval> intervals,
              const std::vector<std::vector<std::byte>>& validity)
      : survey_(survey), catalog_(catalog), validity_(validity) {
    for (const auto& dataset : catalog.datasets) {
      uses_.push_back(data::fields::uses_of(survey.fields, dataset.path));
      sums_.push_back(std::make_unique<InOrder>(intervals, uses_.back().size()));
    }
  }
  std::byte* place(std::size_t, std::uint64_t, std::uint64_t) override { return nullptr; }

  void accept(std::size_t dataset, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    const auto row_bytes = catalog_.row_bytes_at(dataset, first);
    std::vector<transform::ItemStatistics> found(uses_[dataset].size());
    survey_.members.runs(survey_.topology.me(), first, first + rows, [&](std::uint64_t sample, std::uint64_t count) {
      for (std::size_t u = 0; u < found.size(); ++u)
        measure(uses_[dataset][u], sample, count, raw + (sample - first) * row_bytes, found[u]);
    });
    sums_[dataset]->add(first, first + rows, std::move(found));
  }

  void collect(Tallies& tallies) {
    for (std::size_t d = 0; d < uses_.size(); ++d) {
      const auto sums = sums_[d]->take();
      for (std::size_t u = 0; u < uses_[d].size(); ++u) tallies[uses_[d][u].field][uses_[d][u].item].merge(sums[u]);
    }
  }

 private:
  void measure(const data::fields::ItemUse& use, std::uint64_t sample, std::uint64_t count, const std::byte* raw,
               transform::ItemStatistics& into) const {
    const auto& plan = survey_.fields[use.field];
    const auto row = survey_.members.place(survey_.topology.me(), sample);
    const bool outside = plan.spec().items[use.item].valid.from == transform::ValidSpec::From::outside;
    const auto* valid = outside || service::loading::combines_validity(plan)
                            ? validity_[use.field].data() + row * plan.spec().records
                            : nullptr;
    try {
      plan.transform_at(catalog_, sample).measure(use.item, raw, count, valid, into);
    } catch (const transform::BadValue& bad) {
      service::loading::throw_bad_value(catalog_, plan.spec().name, plan.dataset(use.item), sample + bad.row, bad);
    }
  }

  const Survey& survey_;
  const catalog::Catalog& catalog_;
  const std::vector<std::vector<std::byte>>& validity_;
  std::vector<std::vector<data::fields::ItemUse>> uses_;  // per dataset
  std::vector<std::unique_ptr<InOrder>> sums_;
};

void measure_samples(const Survey& survey, Tallies& tallies) {
  const auto paths = data::fields::sample_datasets(survey.fields);
  if (paths.empty()) return;  // all are joined
  const auto& all = survey.topology.all;
  const auto catalog = mpi::together(
      all, [&] { return catalog::select(survey.contents, paths, data::fields::missing_datasets(survey.fields)); });
  const auto intervals = service::loading::intervals_to_read(survey.members, survey.topology.me(), survey.slab,
                                                             data::selection::gap_to_read(catalog));
  service::loading::AskedSamples asked{survey.contents, survey.samples.samples, survey.members, survey.topology,
                                       intervals,       survey.options};
  asked.combined = true;
  const auto validity = service::loading::read_outside_validity(survey.fields, asked);
  MeasureSink sink(survey, catalog, intervals, validity);
  reader::load(all, catalog, intervals, sink, survey.options);
  sink.collect(tallies);
}

}  // namespace

Tallies measure(const Survey& survey) {
  Tallies mine;
  for (const auto& field : survey.fields) mine.emplace_back(field.spec().items.size());
  measure_samples(survey, mine);
  measure_joins(survey, mine);
  const auto all = survey.topology.all.allgather(packed(mine));
  return mpi::together(survey.topology.all, [&] {
    Tallies sum;
    for (const auto& field : survey.fields) sum.emplace_back(field.spec().items.size());
    for (const auto& text : all) merge_packed(text, sum);
    return sum;
  });
}

}  // namespace headrace::commands::stats
