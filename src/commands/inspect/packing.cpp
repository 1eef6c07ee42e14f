#include "service/inspect_packing.hpp"

#include "service/field_cf.hpp"
#include "service/raw_contents.hpp"

namespace headrace::service {

std::vector<PackingNote> packing_notes(const reader::Contents& contents) {
  std::vector<PackingNote> notes;
  raw_datasets(contents).for_each([&](const RawDataset& dataset) {
    auto left = left_packed(dataset, CfMode::automatic);
    if (!left.empty()) {
      notes.push_back({dataset.path, false, std::move(left)});
      return;
    }
    std::string text;
    const auto look = [&](const CfAttributes& attributes) {
      if (text.empty()) text = packing_text(attributes);
    };
    look(dataset.cf);
    for (const auto& attributes : dataset.cf_of_file) look(attributes);
    if (!text.empty())
      notes.push_back({dataset.path, true, "fields get the values decoded: " + text + " (cf = \"off\": as stored)"});
  });
  return notes;
}

}  // namespace headrace::service
