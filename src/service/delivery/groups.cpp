#include "service/delivery/groups.hpp"

#include <fmt/format.h>

#include "base/contract.hpp"

namespace headrace::service::delivery {

Groups::Answer Groups::ask(std::uint32_t stream, std::uint32_t rank, std::uint32_t world_size,
                           std::uint32_t replica) const {
  for (const auto& [key, group] : groups_) {
    if (key.first != stream || group.rank != rank || group.world_size != world_size) continue;
    if (!group.open) return {What::waits};
    const auto found = group.came.find(replica);
    if (found == group.came.end()) return {What::joins, key.second};
    std::string others;
    for (const auto& [number, who] : group.came)
      if (number != replica) others += fmt::format("{}{} ({})", others.empty() ? "" : ", ", number, who);
    return {What::refused, 0,
            fmt::format("replica {} of rank {} has come already ({}){}; give each process a number of its own, or, to "
                        "begin anew, end all replicas of this rank first",
                        replica, rank, found->second,
                        others.empty() ? "" : fmt::format(", and so have replicas {}", others))};
  }
  return {};
}

void Groups::begin(std::uint32_t stream, std::uint32_t place, std::uint32_t rank, std::uint32_t world_size) {
  EXPECTS(!groups_.contains({stream, place}));
  groups_[{stream, place}] = Group{rank, world_size};
}

void Groups::formed(std::uint32_t stream, std::uint32_t place) {
  groups_.at({stream, place}).open = true;
}

void Groups::came(std::uint32_t stream, std::uint32_t place, std::uint32_t replica, std::string who) {
  groups_.at({stream, place}).came.emplace(replica, std::move(who));
}

}  // namespace headrace::service::delivery
