#include <boost/test/unit_test.hpp>
#include <string>

#include "h5/file.hpp"
#include "h5/formula.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(open_errors)

static std::string message_of(const std::string& path) {
  try {
    h5::open_file(path);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

BOOST_AUTO_TEST_CASE(each_reason_is_told) {
  BOOST_TEST(message_of(fixture("types.h5")).empty());
  const auto says = [](const std::string& path, const std::string& why) {
    const auto text = message_of(path);
    BOOST_TEST(text.find(why) != std::string::npos, path << ": " << text);
    BOOST_TEST(text.find(path) != std::string::npos, text);
    BOOST_TEST(text.find('\n') == std::string::npos, text);
  };
  says("/nowhere/at/all.h5", "no such file");
  says(fixture("."), "directory");
  says(fixture("text.h5"), "not an HDF5 file");
  for (const char* version : {"1", "2", "5"}) {
    const auto path = fixture("classic" + std::string(version) + ".nc");
    says(path, "it is a classic NetCDF-3 file, not HDF5");
    says(path, "convert it with 'nccopy -k nc4 " + path + " NEW.nc'");
  }
  says(fixture("empty.h5"), "empty");
  says(fixture("truncated.h5"), "cut short");
}

BOOST_AUTO_TEST_SUITE_END()
