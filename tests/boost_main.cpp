#define BOOST_TEST_MODULE headrace
#include <boost/test/unit_test.hpp>
