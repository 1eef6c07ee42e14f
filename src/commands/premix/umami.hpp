// The training file that Umami's converters and trainings read: groups `jets` and one for each kind of tracks. Pure.
//
//   jets/inputs (V)             the field `jets`                      TRK/inputs (T, F)      fields with two axes
//   jets/labels                 of a one-hot or index field, uint8    TRK/valid (T)          their masks
//   jets/labels_one_hot (C)     the same, uint8                       TRK/labels/NAME (T)    fields TRK_NAME, int8
//   jets/weight                 the field `weight`, or of the source @weight, else 1
//   jets/add_labels/NAME        what else there is; NaN becomes 0
#pragma once

#include "commands/premix/design.hpp"
#include "commands/writing/layout.hpp"

namespace headrace::commands::premix {

writing::Layout umami(const Design& design);

}  // namespace headrace::commands::premix
