#include <boost/test/unit_test.hpp>
#include <cmath>

#include "base/error.hpp"
#include "data/fields/weight_field.hpp"

using namespace headrace;
using namespace headrace::data::fields;

BOOST_AUTO_TEST_SUITE(weight_field)

namespace {

std::string refused(DType dtype, std::vector<double> weights) {
  config::ResampleConfig resample;
  resample.bins.emplace_back();
  resample.as = config::ResampleAs::weights;
  config::FieldConfig field{.name = "w", .source = {"@weight"}};
  field.dtype = dtype;
  try {
    require_weights_fit(resolve_weight_field(field, resample).spec, weights);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(weights_that_the_dtype_cannot_hold_are_refused) {
  BOOST_TEST(refused(DType::float16, {1, 0, 65504, 1e-9}) == "");
  BOOST_TEST(refused(DType::float16, {1, 70000}) ==
             "field 'w': a sample weighs 70000, which does not fit float16; give the field a wider dtype (float32, "
             "float64), or take coarser bins");
  BOOST_TEST(refused(DType::float32, {70000}) == "");
  BOOST_TEST(refused(DType::float32, {1e39}).find("float64") != std::string::npos);
  BOOST_TEST(refused(DType::float64, {1e39}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
