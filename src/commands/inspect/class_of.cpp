#include "commands/inspect/class_of.hpp"

#include <array>
#include <vector>

#include "base/error.hpp"
#include "data/selection/choice.hpp"
#include "data/selection/questions.hpp"

namespace headrace::commands::inspect {

std::optional<std::size_t> class_of(const config::Config& config, const catalog::Contents& contents,
                                    const catalog::Catalog& catalog, std::uint64_t sample, const mpi::Comm& comm,
                                    const reader::LoadOptions& options) {
  using namespace data::selection;
  const auto classes = choose_classes(config, catalog);
  SampleColumns columns(contents, catalog);
  const auto questions = questions_of(classes, columns);
  const std::array one{reader::Interval{sample, sample + 1}};
  if (!columns.empty()) columns.read(comm, sample, sample + 1, one, options);
  std::vector<bool> has;
  for (const auto& choice : classes) has.push_back(choice.selection.contains({sample}));
  for (const auto& question : questions.all) {
    if (!has[question.stream]) continue;
    std::vector<condition::ColumnValues> values;
    for (const auto column : question.columns) values.push_back(columns.values(column));
    std::vector<std::uint8_t> holds(1);
    question.condition->evaluate(values, holds);
    has[question.stream] = holds[0] != 0;
  }
  std::optional<std::size_t> found;
  for (std::size_t c = 0; c < has.size(); ++c) {
    if (!has[c]) continue;
    if (found)
      throw UsageError("sample " + std::to_string(sample) + " is of two classes, '" + classes[*found].stream +
                       "' and '" + classes[c].stream + "'; make their conditions exclude each other");
    found = c;
  }
  return found;
}

}  // namespace headrace::commands::inspect
