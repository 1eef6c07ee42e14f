// layout = "ftag": what salt and atlas-ftag-tools read today. A compound `jets` with all that a jet has, by name, and
// `flavour_label`; for each field with two axes a compound of its name, elements of a jet in a row, with `valid`. Pure.
#pragma once

#include "commands/premix/design.hpp"
#include "commands/writing/layout.hpp"

namespace headrace::commands::premix {

writing::Layout living(const Design& design);

}  // namespace headrace::commands::premix
