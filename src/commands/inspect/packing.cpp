#include "commands/inspect/packing.hpp"

#include "data/fields/cf.hpp"
#include "data/fields/raw_contents.hpp"

namespace headrace::commands::inspect {

std::vector<PackingNote> packing_notes(const catalog::Contents& contents) {
  std::vector<PackingNote> notes;
  data::fields::raw_datasets(contents).for_each([&](const data::columns::RawDataset& dataset) {
    auto left = data::fields::left_packed(dataset, config::CfMode::automatic);
    if (!left.empty()) {
      notes.push_back({dataset.path, false, std::move(left)});
      return;
    }
    std::string text;
    const auto look = [&](const data::columns::CfAttributes& attributes) {
      if (text.empty()) text = data::fields::packing_text(attributes);
    };
    look(dataset.cf);
    for (const auto& attributes : dataset.cf_of_file) look(attributes);
    if (!text.empty())
      notes.push_back({dataset.path, true, "fields get the values decoded: " + text + " (cf = \"off\": as stored)"});
  });
  return notes;
}

}  // namespace headrace::commands::inspect
