#include "data/selection/questions.hpp"

#include "base/error.hpp"
#include "config/value.hpp"

namespace headrace::data::selection {

namespace {

std::size_t column_of_ids(const Choice& choice, SampleColumns& columns) {
  const auto place = choice.who() + ": select";
  const auto column = columns.add_item(choice.list->by, place);
  if (!columns.is_text(column) && !columns.is_whole(column))
    throw UsageError(place + ": '" + choice.list->by + "' holds floats; ids are whole numbers or texts");
  return column;
}

std::vector<std::size_t> columns_of(const Choice& choice, const condition::Condition& condition,
                                    SampleColumns& columns) {
  std::vector<std::size_t> found;
  for (const auto& name : condition.columns()) found.push_back(columns.add(name, choice.who() + ": where"));
  return found;
}

Questions unread_questions(const std::vector<Choice>& choices, SampleColumns& columns, config::Mistakes& mistakes) {
  Questions questions;
  for (std::size_t s = 0; s < choices.size(); ++s) {
    const auto& list = choices[s].list;
    if (list && list->by != "index")
      mistakes.attempt([&] {
        questions.all.push_back({s, {column_of_ids(choices[s], columns)}, nullptr, questions.lists.size()});
        questions.lists.push_back({choices[s].stream, list->file, list->repeats});
      });
    for (const auto& condition : choices[s].where)
      mistakes.attempt([&] { questions.all.push_back({s, columns_of(choices[s], condition, columns), &condition}); });
  }
  return questions;
}

}  // namespace

void check_streams(const config::Config& config, const catalog::Contents& contents,
                   const std::vector<std::string>& paths, const std::set<std::string>& may_lack,
                   config::Mistakes& mistakes) {
  auto asked = config;
  if (paths.empty())
    for (auto& stream : asked.streams) {
      stream.files.clear();
      stream.select.clear();
    }
  if (paths.empty())
    for (auto& one : asked.classes) one.files.clear();
  try {
    const auto catalog = paths.empty() ? catalog::Catalog() : catalog::select(contents, paths, may_lack);
    auto choices = choose(asked, catalog, mistakes);
    choose_classes(asked, catalog, mistakes, choices);
    SampleColumns columns(contents, catalog);
    unread_questions(choices, columns, mistakes);
    mistakes.attempt([&] { columns_of_bins(asked, columns); });
  } catch (const Error& error) {  // of the files: lengths that disagree, no samples
    mistakes.add(error.what());
  }
}

std::vector<std::size_t> columns_of_bins(const config::Config& config, SampleColumns& columns) {
  std::vector<std::size_t> found;
  for (const auto& axis : config.resample.bins) {
    found.push_back(columns.add_item(axis.item, "[resample] bins"));
    if (columns.is_text(found.back()))
      throw UsageError("[resample] bins: '" + axis.item + "' holds texts; bins are of numbers");
  }
  return found;
}

Questions questions_of(const std::vector<Choice>& choices, SampleColumns& columns) {
  config::Mistakes mistakes;
  auto questions = unread_questions(choices, columns, mistakes);
  mistakes.throw_if_any();
  for (const auto& question : questions.all) {
    if (question.condition != nullptr) continue;
    auto& open = questions.lists[question.list];
    open.list = IdList::read(open.file, columns.is_text(question.columns[0]), open.stream, open.repeats);
    open.found.resize(open.list.size());
  }
  return questions;
}

}  // namespace headrace::data::selection
