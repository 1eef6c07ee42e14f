#include "commands/stats/join.hpp"

#include "service/loading/join.hpp"

namespace headrace::commands::stats {

void measure_joins(const Survey& survey, Tallies& tallies) {
  service::loading::read_joins(
      {survey.fields, survey.contents, survey.samples, survey.placement, survey.topology, survey.options},
      [&](std::size_t f, std::size_t item, std::uint64_t sample, std::uint64_t place, const std::byte* raw) {
        if (raw == nullptr) return;
        const auto& transform = survey.fields[f].transform_at(survey.samples, sample);
        transform.measure_record(item, raw, place, tallies[f][item]);
      });
}

}  // namespace headrace::commands::stats
