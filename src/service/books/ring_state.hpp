// What has become of a ring (its life is drawn in delivery/ring_keeper.hpp): a word that the stager which serves it
// tells the leader of its node.
#pragma once

#include <cstdint>

namespace headrace::service::books {

enum class RingState : std::uint8_t { whole, lent, settling, blocked, vacant };

}  // namespace headrace::service::books
