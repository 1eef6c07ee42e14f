#include "data/fields/counts.hpp"

#include <algorithm>

#include "catalog/grouping.hpp"
#include "config/resample_values.hpp"
#include "data/fields/label_values.hpp"
#include "data/selection/mixing.hpp"
#include "data/selection/questions.hpp"
#include "data/selection/reading.hpp"
#include "data/selection/selected_samples.hpp"

namespace headrace::data::fields {

DataCounts::DataCounts(const config::Config& config, const catalog::Contents& contents, std::uint64_t most_bytes)
    : config_(config), contents_(contents), most_bytes_(most_bytes) {}

bool DataCounts::affords(std::uint64_t bytes) {
  if (bytes >= most_bytes_) return false;
  if (!session_) session_ = std::make_shared<mpi::Session>();
  return true;
}

std::optional<DataCounts::Streams> DataCounts::streams(const catalog::Catalog& catalog,
                                                       const std::vector<selection::Choice>& choices) {
  auto all = choices;
  for (auto& one : selection::choose_classes(config_, catalog)) all.push_back(std::move(one));
  const bool mixed = std::ranges::any_of(
      config_.streams, [&](const auto& stream) { return selection::mixes(stream) || config::bins(config_, stream); });
  if (!mixed && std::ranges::none_of(all, [](const selection::Choice& c) { return c.by_data(); })) return std::nullopt;
  selection::SampleColumns columns(contents_, catalog);
  selection::questions_of(all, columns);
  selection::columns_of_bins(config_, columns);
  constexpr std::uint64_t a_sample = 8;  // what drawing a part or looking into a list costs beside reading
  if (!affords(catalog.samples * (columns.row_bytes() + a_sample))) return std::nullopt;
  const auto topology = job::Topology::discover(mpi::Comm::self(), false);
  const auto options = selection::load_options(config_, selection::worker_count(config_.threads, 1));
  const selection::SelectedSamples selected(config_, contents_, catalog, choices, topology, options);
  Streams streams{selected.positions(), selected.class_sizes(), selected.shared(), {}};
  for (std::size_t s = 0; s < choices.size(); ++s) streams.draws.push_back(selected.draw(s));
  return streams;
}

std::optional<std::vector<std::string>> DataCounts::labels(const config::FieldConfig& field,
                                                           const std::string& dataset) {
  std::uint64_t bytes = 0;
  for (const auto& file : contents_)
    if (const auto* found = catalog::find(file, dataset)) bytes += found->stored_bytes;
  if (!affords(bytes)) return std::nullopt;
  return label_values(field, dataset, contents_, mpi::Comm::self(),
                      selection::load_options(config_, selection::worker_count(config_.threads, 1)));
}

}  // namespace headrace::data::fields
