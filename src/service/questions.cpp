#include "service/questions.hpp"

#include "base/error.hpp"
#include "service/options_value.hpp"

namespace headrace::service {

namespace {

std::size_t column_of_ids(const Choice& choice, SampleColumns& columns) {
  const auto place = "stream '" + choice.stream + "': select";
  const auto column = columns.add(choice.list->by, place);
  if (!columns.is_text(column) && !columns.is_whole(column))
    throw UsageError(place + ": '" + choice.list->by + "' holds floats; ids are whole numbers or texts");
  return column;
}

std::vector<std::size_t> columns_of(const Choice& choice, const transform::Condition& condition,
                                    SampleColumns& columns) {
  std::vector<std::size_t> found;
  for (const auto& name : condition.columns())
    found.push_back(columns.add(name, "stream '" + choice.stream + "': where"));
  return found;
}

}  // namespace

Questions questions_of(const std::vector<Choice>& choices, SampleColumns& columns) {
  Questions questions;
  Mistakes mistakes;
  for (std::size_t s = 0; s < choices.size(); ++s) {
    const auto& list = choices[s].list;
    if (list && list->by != "index")
      mistakes.attempt([&] {
        questions.all.push_back({s, {column_of_ids(choices[s], columns)}, nullptr, questions.lists.size()});
        questions.lists.push_back({choices[s].stream, list->file, {}});
      });
    for (const auto& condition : choices[s].where)
      mistakes.attempt([&] { questions.all.push_back({s, columns_of(choices[s], condition, columns), &condition}); });
  }
  mistakes.throw_if_any();
  for (const auto& question : questions.all) {
    if (question.condition != nullptr) continue;
    auto& open = questions.lists[question.list];
    open.list = IdList::read(open.file, columns.is_text(question.columns[0]), open.stream);
    open.found.resize(open.list.size());
  }
  return questions;
}

}  // namespace headrace::service
