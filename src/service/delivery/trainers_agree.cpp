// Trainers that go on from saved states: all of a stream must mean the same place.
#include <fmt/format.h>

#include "service/books/messages.hpp"
#include "service/delivery/trainers.hpp"

namespace headrace::service::delivery {

void Trainers::agree(std::uint64_t id, Trainer& trainer, const ring::Agree& wanted) {
  trainer.talk->pause();  // one question at a time
  actions_.up({{"type", "agree"},
               {"node", topology_.my_node},
               {"local", topology_.local()},
               {"trainer", id},
               {"stream", trainer.stream},
               {"rank", trainer.rank},
               {"generation", trainer.generation},
               {"number", wanted.number},
               {"epoch", wanted.epoch},
               {"step", wanted.step}});
}

void Trainers::agreed(const nlohmann::json& message) {
  const auto found = trainers_.find(message.at("trainer"));
  if (found == trainers_.end() || found->second.leaving) return;
  if (message.at("refusal").get_ref<const std::string&>().empty()) found->second.following->loaded();
  found->second.talk->resume();
  say(found->first, ring::encode(ring::Agreed{message.at("number"), message.at("refusal")}));
}

void Trainers::resumed(const nlohmann::json& message) {
  for (auto& [id, trainer] : trainers_)
    if (trainer.stream == message.at("stream").get<std::uint32_t>() && !trainer.leaving)
      trainer.following->resumed(books::resumed_from(message), trainer.feed->position(),
                                 trainer.feed->ring_stats().acquired);
}

void Trainers::look_for_strays() {
  std::vector<std::pair<std::uint64_t, std::string>> strays;
  for (const auto& [id, trainer] : trainers_)
    if (auto text = trainer.following->strays(fmt::format("rank {} ({})", trainer.rank, trainer.who),
                                              trainer.feed->position(), trainer.feed->ring_stats().acquired);
        text && !trainer.leaving)
      strays.emplace_back(id, fmt::format("stream '{}': {}", supply_.blueprint().streams[trainer.stream].name, *text));
  for (const auto& [id, why] : strays) throw_out(id, why, ring::Refusal::refused);
}

}  // namespace headrace::service::delivery
