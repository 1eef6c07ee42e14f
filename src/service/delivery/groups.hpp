// Which processes of a node are one trainer together (replicas), kept by the leader of the node: the first that comes
// claims rank and place for all, the others join it. Pure bookkeeping.
//
//   none --begin()--> claiming --formed()--> open --(each replica comes once)--> ...
//            ^           | over()              | over(): the last has gone, and the place is free
//            '-----------'---------------------'
//
//   1. A number that has come does not come again while others of its group live: who comes anew has not what they have
//      had. Once all are gone, a new group begins.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace headrace::service::delivery {

class Groups {
 public:
  enum class What {
    claims,   ///< nobody of its group is here: it claims for all
    waits,    ///< another one of its group is claiming
    joins,    ///< in that place
    refused,  ///< its number has come before
  };
  struct Answer {
    What what = What::claims;
    std::uint32_t place = 0;
    std::string text{};
  };
  Answer ask(std::uint32_t stream, std::uint32_t rank, std::uint32_t world_size, std::uint32_t replica) const;

  void begin(std::uint32_t stream, std::uint32_t place, std::uint32_t rank, std::uint32_t world_size);
  void formed(std::uint32_t stream, std::uint32_t place);
  /// who: "process 4711 on n03"
  void came(std::uint32_t stream, std::uint32_t place, std::uint32_t replica, std::string who);
  void over(std::uint32_t stream, std::uint32_t place) { groups_.erase({stream, place}); }

 private:
  struct Group {
    std::uint32_t rank = 0, world_size = 1;
    bool open = false;
    std::map<std::uint32_t, std::string> came{};
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, Group> groups_;  // by stream and place
};

}  // namespace headrace::service::delivery
