// The part of the staging that tells what streams will bring.
#include <fmt/format.h>

#include "data/selection/mixing.hpp"
#include "log/log.hpp"
#include "service/staging.hpp"

namespace headrace::service {

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

void Staging::print_windows(std::uint32_t number) const {
  const auto& quality = qualities_[number];
  if (!quality) return;
  for (const auto& line : blueprint::lines_of(*quality)) log::info("    {}", line);
  if (topology_.me() == 0)  // warnings are spoken by all
    for (const auto& warning : blueprint::warnings_of(blueprint_->streams[number].name, *quality))
      log::warn("{}", warning);
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

}  // namespace headrace::service
