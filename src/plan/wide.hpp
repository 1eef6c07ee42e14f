// Products of 64-bit numbers.
#pragma once

namespace headrace::plan {

__extension__ using Unsigned128 = unsigned __int128;

}  // namespace headrace::plan
