#include <array>
#include <nlohmann/json.hpp>

#include "commands/inspect/advice.hpp"
#include "commands/inspect/packing.hpp"
#include "commands/inspect/views.hpp"

namespace headrace::commands::inspect {

namespace {

using nlohmann::ordered_json;

ordered_json members(const h5::TypeInfo& type) {
  auto list = ordered_json::array();
  for (const auto& member : type.members)
    list.push_back({{"name", member.name}, {"type", h5::text_of(member.type)}, {"offset", member.offset}});
  return list;
}

ordered_json filters(const h5::DatasetInfo& dataset) {
  auto list = ordered_json::array();
  for (const auto& filter : dataset.filters)
    list.push_back(
        {{"id", filter.id}, {"name", filter.name}, {"values", filter.values}, {"available", filter.available}});
  return list;
}

ordered_json describe(const catalog::VirtualReport& report) {
  return {{"sources", report.sources},
          {"missing", report.missing},
          {"fill_rows", report.fill_rows},
          {"read", report.seen_through ? "sources" : "hdf5"},
          {"text", catalog::text_of(report)},
          {"problem", report.problem.empty() ? ordered_json() : ordered_json(report.problem)}};
}

ordered_json describe(const catalog::FileContents& file, const h5::DatasetInfo& dataset) {
  ordered_json j{{"path", dataset.path},
                 {"shape", dataset.dims},
                 {"type", dataset.problem.empty() ? h5::text_of(dataset.type) : "unreadable"}};
  if (!dataset.type.members.empty()) j["members"] = members(dataset.type);
  j["layout"] = h5::text_of(dataset.layout);
  if (const auto* report = catalog::find_virtual(file, dataset)) j["virtual"] = describe(*report);
  j["chunks"] = dataset.chunk.empty() ? ordered_json() : ordered_json(dataset.chunk);
  j["filters"] = filters(dataset);
  j["sample_bytes"] = dataset.dims.empty() ? ordered_json() : ordered_json(dataset.row_bytes());
  j["bytes"] = dataset.bytes();
  j["stored_bytes"] = dataset.stored_bytes;
  const bool measurable = dataset.stored_bytes > 0 && dataset.bytes() > 0;
  j["ratio"] = measurable
                   ? ordered_json(static_cast<double>(dataset.bytes()) / static_cast<double>(dataset.stored_bytes))
                   : ordered_json();
  const auto reason = catalog::unfit(dataset);
  j["can_be_field"] = reason.empty();
  if (!reason.empty()) j["reason"] = reason;
  return j;
}

ordered_json describe(const h5::DeadLink& link) {
  constexpr std::array kinds{"hard", "soft", "external", "other"};
  return {{"path", link.path},
          {"kind", kinds[static_cast<std::size_t>(link.kind)]},
          {"file", link.file.empty() ? ordered_json() : ordered_json(link.file)},
          {"target", link.target.empty() ? ordered_json() : ordered_json(link.target)},
          {"reason", link.why}};
}

ordered_json describe(const catalog::Group& group) {
  auto paths = ordered_json::array();
  std::uint64_t sample_bytes = 0;
  for (const auto& dataset : group.datasets) {
    paths.push_back(dataset.path);
    sample_bytes += dataset.row_bytes;
  }
  return {{"samples", group.samples()}, {"sample_bytes", sample_bytes}, {"datasets", paths}};
}

ordered_json reasons(const catalog::Grouping& grouping) {
  auto list = ordered_json::array();
  for (const auto* some : {&grouping.unfit, &grouping.disagreeing})
    for (const auto& left_out : *some) list.push_back({{"path", left_out.path}, {"reason", left_out.reason}});
  return list;
}

}  // namespace

std::string as_json(const catalog::Contents& contents, const catalog::Grouping& grouping) {
  auto files = ordered_json::array(), groups = ordered_json::array(), told = ordered_json::array();
  for (const auto& file : contents) {
    auto datasets = ordered_json::array();
    for (const auto& dataset : file.datasets) {
      datasets.push_back(describe(file, dataset));
      for (const auto& text : advice(file, dataset))
        told.push_back({{"file", file.path}, {"dataset", dataset.path}, {"text", text}});
    }
    auto dead = ordered_json::array();
    for (const auto& link : file.dead_links) dead.push_back(describe(link));
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"datasets", datasets}, {"dead_links", dead}});
  }
  for (const auto& group : grouping.groups) groups.push_back(describe(group));
  auto packed = ordered_json::array();
  for (const auto& note : packing_notes(contents))
    packed.push_back({{"dataset", note.dataset}, {"decoded", note.decoded}, {"text", note.text}});
  const ordered_json all{
      {"files", files}, {"groups", groups}, {"left_out", reasons(grouping)}, {"advice", told}, {"packed", packed}};
  return all.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace headrace::commands::inspect
