// What the staging tells people of its blueprint.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "data/fields/plan.hpp"
#include "data/selection/mixing.hpp"
#include "data/selection/scan_settings.hpp"
#include "h5/plugin_path.hpp"
#include "log/log.hpp"
#include "service/early_start.hpp"
#include "service/staging.hpp"
#include "service/surroundings.hpp"
#include "service/window_memory.hpp"

namespace headrace::service {

void Staging::print_blueprint(const blueprint::MemoryLimit& limit) const {
  const auto& catalog = blueprint_->catalog;
  std::uint64_t file_bytes = 0;
  for (const auto& file : catalog.files) file_bytes += file.bytes;
  log::info("{} file{} ({}), {} samples; {} stager{} on {} node{}, {} worker{} each", catalog.files.size(),
            catalog.files.size() == 1 ? "" : "s", format_bytes(static_cast<double>(file_bytes)), catalog.samples,
            topology_.stagers(), topology_.stagers() == 1 ? "" : "s", topology_.nodes.size(),
            topology_.nodes.size() == 1 ? "" : "s", threads_, threads_ == 1 ? "" : "s");
  for (const auto& note : data::selection::virtual_notes(contents_))
    if (!note.warning)
      log::info("  {}", note.text);
    else if (topology_.me() == 0)
      log::warn("{}", note.text);
  if (topology_.me() == 0)  // with verbose, all speak
    for (const auto& node : topology_.nodes)
      log::debug("  {}: stagers {} to {}", node.host, node.first, node.first + node.stagers - 1);
  for (const auto& field : blueprint_->schema)
    log::info("  field {}: {} {}, {} a sample", field.name, name_of(field.dtype),
              fmt::format("({})", fmt::join(field.shape, ", ")), format_bytes(static_cast<double>(field.row_bytes())));
  if (topology_.me() == 0) {  // warnings are spoken by all
    for (const auto& why : h5::distrusted_plugin_folders()) log::warn("{}", why);
    for (const auto& plan : blueprint_->fields)
      for (const auto& note : plan.notes) log::warn("field {}: {}", blueprint_->schema[plan.array].name, note);
  }
  constexpr std::size_t most_told = 20;
  const auto left_out = data::fields::left_out_datasets(config_, contents_);
  for (std::size_t i = 0; i < std::min(most_told, left_out.size()); ++i)
    log::info("  not a field: {} ({})", left_out[i].path, left_out[i].reason);
  if (left_out.size() > most_told)
    log::info("  not a field: {} more, which 'headrace inspect FILE' tells", left_out.size() - most_told);
  for (std::uint32_t s = 0; s < blueprint_->streams.size(); ++s) {
    print_stream(s);
    print_windows(s);
    print_mix(s);
    for (const auto& line : blueprint_->streams[s].draw_lines) log::info("      {}", line);
  }
  tell_transport(topology_);
  const auto here = need(topology_.here());
  if (blueprint_->on_disk())
    log::info(
        "regime scratch: {} of samples on {} stay in memory, {} lie on its disk ({}); every epoch is shuffled "
        "exactly and globally",
        format_bytes(here.store), topology_.here().host, format_bytes(here.scratch), config_.scratch);
  else if (blueprint_->by_windows())
    for (const auto& line : lines_of_windows(*blueprint_, topology_.here())) log::info("regime window: {}", line);
  else if (purpose_ == Purpose::trainers)
    log::info("regime resident: all samples stay in memory{}",
              blueprint_->blocks.empty() ? ", so every epoch is shuffled exactly and globally" : "");
  if (const auto early = text_of_early(*blueprint_); !early.empty()) log::info("start = early: {}", early);
  log::info("memory on {}: {} needed ({} samples, {} rings, {} buffers), {} available ({})", topology_.here().host,
            format_bytes(static_cast<double>(here.total())), format_bytes(static_cast<double>(here.store)),
            format_bytes(static_cast<double>(here.rings)), format_bytes(static_cast<double>(here.buffers)),
            format_bytes(static_cast<double>(limit.available)), limit.by);
  if (purpose_ == Purpose::trainers) log::info("{}", host::meeting_place(config_, topology_.nodes.size()));
}

void Staging::print_stream(std::uint32_t number) const {
  const auto& stream = blueprint_->streams[number];
  if (purpose_ == Purpose::files) {
    log::info("  stream {}: {} samples, shuffle = {}", stream.name, stream.samples, config::word(stream.shuffle));
    return;
  }
  const auto schedule = stream.schedule(blueprint_->trainers);
  log::info("  stream {}: {} samples, shuffle = {}{}, last = {}: {} batches of {} for each of {} trainer{}, {}",
            stream.name, stream.samples, config::word(stream.shuffle),
            stream.order == plan::RowOrder::sorted ? "" : fmt::format(", order = {}", config::word(stream.order)),
            config::word(stream.last), schedule.steps(), schedule.batch(), blueprint_->trainers,
            blueprint_->trainers == 1 ? "" : "s",
            stream.epochs == 0 ? "endless" : fmt::format("{} epoch{}", stream.epochs, stream.epochs == 1 ? "" : "s"));
}

void Staging::print_mix(std::uint32_t s) const {
  const auto& stream = blueprint_->streams[s];
  if (!stream.mix) return;
  const auto& mix = config_.streams[s].mix;
  log::info("    mix = {}, within = {}; epoch 0:", config::text_of(mix), config::word(mix.within));
  const auto order = stream.epoch_order(config_.seed, 0);
  for (const auto& line : data::selection::lines_of(*order, *stream.mix, stream.classes)) log::info("      {}", line);
  if (purpose_ == Purpose::trainers && mix.within == plan::Mix::Within::batch &&
      stream.schedule(blueprint_->trainers).batch() < config_.classes.size() && topology_.me() == 0)
    log::warn("stream {}: a batch of {} has no room for one sample of each of the {} classes", stream.name,
              stream.schedule(blueprint_->trainers).batch(), config_.classes.size());
}

void Staging::print_windows(std::uint32_t number) const {
  const auto& quality = qualities_[number];
  if (!quality) return;
  for (const auto& line : blueprint::lines_of(*quality)) log::info("    {}", line);
  if (topology_.me() == 0)  // warnings are spoken by all
    for (const auto& warning : blueprint::warnings_of(blueprint_->streams[number].name, *quality))
      log::warn("{}", warning);
}

}  // namespace headrace::service
