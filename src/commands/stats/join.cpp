#include "service/stats_join.hpp"

#include "service/join.hpp"

namespace headrace::service {

void measure_joins(const Survey& survey, Tallies& tallies) {
  read_joins({survey.fields, survey.contents, survey.samples, survey.placement, survey.topology, survey.options},
             [&](std::size_t f, std::size_t item, std::uint64_t sample, std::uint64_t place, const std::byte* raw) {
               if (raw == nullptr) return;
               const auto& transform = survey.fields[f].transform_at(survey.samples, sample);
               transform.measure_record(item, raw, place, tallies[f][item]);
             });
}

}  // namespace headrace::service
