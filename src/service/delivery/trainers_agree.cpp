// Trainers that go on from saved states: all of a stream must mean the same place.
#include <fmt/format.h>

#include "service/guests.hpp"
#include "service/messages.hpp"

namespace headrace::service {

void Guests::agree(std::uint64_t id, Guest& guest, const ring::Agree& wanted) {
  guest.talk->pause();  // one question at a time
  actions_.up({{"type", "agree"},
               {"node", topology_.my_node},
               {"local", topology_.local()},
               {"guest", id},
               {"stream", guest.stream},
               {"rank", guest.rank},
               {"generation", guest.generation},
               {"number", wanted.number},
               {"epoch", wanted.epoch},
               {"step", wanted.step}});
}

void Guests::agreed(const nlohmann::json& message) {
  const auto found = guests_.find(message.at("guest"));
  if (found == guests_.end() || found->second.leaving) return;
  if (message.at("refusal").get_ref<const std::string&>().empty()) found->second.following->loaded();
  found->second.talk->resume();
  say(found->first, ring::encode(ring::Agreed{message.at("number"), message.at("refusal")}));
}

void Guests::resumed(const nlohmann::json& message) {
  for (auto& [id, guest] : guests_)
    if (guest.stream == message.at("stream").get<std::uint32_t>() && !guest.leaving)
      guest.following->resumed(resumed_from(message), guest.feed->position(), guest.feed->ring_stats().acquired);
}

void Guests::look_for_strays() {
  std::vector<std::pair<std::uint64_t, std::string>> strays;
  for (const auto& [id, guest] : guests_)
    if (auto text = guest.following->strays(fmt::format("rank {} ({})", guest.rank, guest.who), guest.feed->position(),
                                            guest.feed->ring_stats().acquired);
        text && !guest.leaving)
      strays.emplace_back(id, fmt::format("stream '{}': {}", supply_.blueprint().streams[guest.stream].name, *text));
  for (const auto& [id, why] : strays) throw_out(id, why, ring::Refusal::refused);
}

}  // namespace headrace::service
