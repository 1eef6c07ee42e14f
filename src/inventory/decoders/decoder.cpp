#include "inventory/decoders/decoder.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace headrace::inventory {

void require_form(const Form& found, const Form& expected) {
  if (!(found == expected))
    throw Error(fmt::format("it holds {}, and the first sample's file {}; all have the same type and shape",
                            text_of(found), text_of(expected)));
}

}  // namespace headrace::inventory
