#include "service/config.hpp"

namespace headrace::service {

std::string_view word(IoMode mode) {
  switch (mode) {
    case IoMode::automatic:
      return "auto";
    case IoMode::collective:
      return "collective";
    case IoMode::direct:
      return "direct";
  }
  return "?";
}

std::string_view word(Audit audit) {
  return audit == Audit::full ? "full" : "count";
}

std::string_view word(plan::Shuffle shuffle) {
  return shuffle == plan::Shuffle::none ? "none" : "global";
}

std::string_view word(plan::Last last) {
  switch (last) {
    case plan::Last::drop:
      return "drop";
    case plan::Last::partial:
      return "partial";
    case plan::Last::pad:
      return "pad";
  }
  return "?";
}

}  // namespace headrace::service
