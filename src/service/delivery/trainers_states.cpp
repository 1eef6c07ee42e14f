// Where trainers go on: seeks, and saved states, by which all of a stream must mean the same place.
#include <fmt/format.h>

#include "base/error.hpp"
#include "service/delivery/trainers.hpp"

namespace headrace::service::delivery {

void Trainers::seek(ServedTrainer& trainer, const ring::Seek& wanted) {
  const auto& facts = supply_.blueprint().streams[trainer.stream];
  const auto before = trainer.feed->ledger();
  const auto steps = before.steps();
  require(wanted.step < steps, fmt::format("seek to step {}, but an epoch of stream '{}' has {} steps (0 .. {})",
                                           wanted.step, facts.name, steps, steps - 1));
  trainer.following->seeks({wanted.epoch, wanted.step});
  report_abandoned(trainer, trainer.feed->seek(wanted.generation, {wanted.epoch, wanted.step}, wanted.taken));
  // Who goes through its stream again, as for validation, still needs the service.
  if (before.finished() && !trainer.feed->ledger().finished())
    actions_.to_head(books::Finished{trainer.stream, trainer.rank, trainer.generation, false});
}

void Trainers::agree(Member& member, const ring::Agree& wanted) {
  const auto& trainer = trainers_.at(member.trainer);
  member.talk->pause();  // one question at a time
  actions_.to_head(books::AskAgree{.node = topology_.my_node,
                                   .local = topology_.local(),
                                   .trainer = member.trainer,
                                   .stream = trainer.stream,
                                   .rank = trainer.rank,
                                   .generation = trainer.generation,
                                   .number = wanted.number,
                                   .at = {wanted.epoch, wanted.step}});
}

void Trainers::hear(const books::AgreeAnswer& message) {
  for (const auto id : members_of(message.trainer, 0)) {
    if (message.refusal.empty()) trainers_.at(message.trainer).following->loaded();
    members_.at(id).talk->resume();
    say(id, ring::encode(ring::Agreed{message.number, message.refusal}));
  }
}

void Trainers::hear(const books::StateTaken& message) {
  for (auto& [id, trainer] : trainers_)
    if (trainer.stream == message.stream && !trainer.leaving)
      trainer.following->resumed(message.state, trainer.feed->position(), trainer.feed->ring_stats().acquired);
}

void Trainers::look_for_strays() {
  std::vector<std::pair<std::uint64_t, std::string>> strays;
  for (const auto& [id, trainer] : trainers_)
    if (const auto text = trainer.strays())
      strays.emplace_back(id, fmt::format("stream '{}': {}", stream_name(trainer), *text));
  for (const auto& [id, why] : strays)
    for (const auto member : members_of(id)) throw_out(member, why, ring::Refusal::refused);
}

}  // namespace headrace::service::delivery
