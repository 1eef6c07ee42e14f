// What people see of a load.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "service/loading/progress.hpp"

using namespace headrace::service::loading;

namespace {

/// stderr is a terminal as long as this lives.
class Terminal {
 public:
  Terminal() {
    BOOST_TEST_REQUIRE(master_ >= 0);
    BOOST_TEST_REQUIRE((::grantpt(master_) == 0 && ::unlockpt(master_) == 0));
    const auto terminal = ::open(::ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    BOOST_TEST_REQUIRE(terminal >= 0);
    ::dup2(terminal, STDERR_FILENO);
    ::close(terminal);
  }
  ~Terminal() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    ::close(master_);
  }
  std::string shown() const {
    std::string text(4096, '\0');
    pollfd there{master_, POLLIN, 0};
    if (::poll(&there, 1, 0) <= 0) return "";
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(master_, text.data(), text.size()))));
    return text;
  }

 private:
  int before_ = ::dup(STDERR_FILENO), master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
};

}  // namespace

BOOST_AUTO_TEST_SUITE(progress)

BOOST_AUTO_TEST_CASE(nothing_is_more_than_done) {
  const Terminal terminal;
  std::vector<double> told;
  Progress progress(true, [&](double fraction) { told.push_back(fraction); });
  while (told.empty()) progress.at(150, 100);  // it tells four times a second
  BOOST_TEST(told == std::vector<double>{1.0}, boost::test_tools::per_element());
  const auto shown = terminal.shown();
  BOOST_TEST(shown.find("100 %") != std::string::npos, shown);
  progress.done();
}

BOOST_AUTO_TEST_CASE(parts_add_up_whatever_they_count) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
  ProgressOfParts progress(1000, [&](std::uint64_t done, std::uint64_t all) { told.emplace_back(done, all); });
  progress.begin(400);
  progress.at(0, 800);  // of rows in between, too
  progress.at(400, 800);
  progress.at(800, 800);
  progress.at(5, 50);  // another dataset, for the same part
  progress.begin(0);   // takes part in what others have
  progress.at(0, 0);
  progress.begin(600);
  progress.at(1, 2);
  progress.at(3, 2);
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> expected{{0, 1000},   {200, 1000}, {400, 1000}, {40, 1000},
                                                                      {400, 1000}, {700, 1000}, {1000, 1000}};
  BOOST_TEST((told == expected));
  ProgressOfParts nobody(1000, nullptr);
  nobody.begin(1000);
  nobody.at(1, 2);
}

BOOST_AUTO_TEST_SUITE_END()
