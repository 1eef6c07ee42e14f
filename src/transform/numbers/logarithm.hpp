// The natural logarithm of float32, as vector code: the same bits on every machine, which libraries do not promise, and
// within 0.88 of a last place of the true value (measured over all floats): never off by more than one from the float
// nearest to it. Pure; any thread.
//
// x = 2^e m with m in [2/3, 4/3), and log(x) = e log(2) + log(1 + f) with f = m - 1, where
// log(1 + f) = f - f^2 / 2 + f^3 P(f). What the sum of e log(2) and f loses is added again at the end.
#pragma once

#include <cstddef>

namespace headrace::transform::numbers {

/// In place, of values greater than 0; infinity and NaN stay what they are.
void take_logarithms(float* values, std::size_t n);
void take_logarithms(double* values, std::size_t n);

}  // namespace headrace::transform::numbers
