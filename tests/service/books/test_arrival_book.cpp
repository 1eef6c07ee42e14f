// Which windows are read and opened while trainers are served, with stagers that come to them as they like.
#include <boost/test/unit_test.hpp>
#include <random>
#include <utility>

#include "base/error.hpp"
#include "service/books/arrival_book.hpp"

using namespace headrace;
using namespace headrace::service::books;
using What = ArrivalOrder::What;

BOOST_AUTO_TEST_SUITE(arrival_book)

namespace {

struct ArrivalHead {
  std::vector<ArrivalOrder> said;
  ArrivalBook book;
  ArrivalHead(std::uint64_t windows, std::uint32_t stagers)
      : book(windows, stagers, [this](const ArrivalOrder& order) { said.push_back(order); }) {}
  std::vector<ArrivalOrder> take() { return std::exchange(said, {}); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_window_opens_when_all_stagers_have_it) {
  ArrivalHead head(3, 2);
  head.book.begin();
  BOOST_TEST((head.take() == std::vector{ArrivalOrder{What::read, 0}}));
  head.book.loaded(1, 0);
  head.book.loaded(1, 1);
  BOOST_TEST(head.take().empty());
  head.book.loaded(0, 0);
  BOOST_TEST((head.take() == std::vector{ArrivalOrder{What::open, 0}}));
  head.book.loaded(0, 1);
  BOOST_TEST((head.take() == std::vector{ArrivalOrder{What::open, 1}}));
  head.book.loaded(0, 1);
  BOOST_TEST(head.take().empty());  // once
  BOOST_TEST((head.book.opened() == 2 && head.book.current() == 2 && !head.book.complete()));
  head.book.loaded(0, 2);
  head.book.loaded(1, 2);
  BOOST_TEST(head.book.complete());
}

BOOST_AUTO_TEST_CASE(who_waits_gets_his_window_before_others) {
  ArrivalHead head(8, 1);
  head.book.begin();
  head.take();
  head.book.want(0, 3, 0);  // comes next as it is
  BOOST_TEST(head.take().empty());
  head.book.want(0, 3, 5);  // has gone elsewhere
  head.book.want(0, 3, 5);
  BOOST_TEST((head.take() == std::vector{ArrivalOrder{What::read, 5}}));
  head.book.want(0, 1, 6);  // others have their turn after that
  head.book.want(1, 3, 3);
  BOOST_TEST(head.take().empty());
  head.book.loaded(0, 0);  // was under way
  BOOST_TEST((head.take() == std::vector{ArrivalOrder{What::open, 0}}));
  head.book.loaded(0, 5);
  // The next that is wanted comes next as it is.
  BOOST_TEST((head.take() == std::vector{ArrivalOrder{What::open, 5}}));
  BOOST_TEST(head.book.current() == 6u);
  head.book.loaded(0, 6);
  BOOST_TEST((head.take() == std::vector{ArrivalOrder{What::open, 6}, ArrivalOrder{What::read, 3}}));
  head.book.want(0, 3, 0);  // is there
  BOOST_TEST(head.take().empty());
}

BOOST_AUTO_TEST_CASE(whatever_is_wanted_all_windows_open_once) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    const auto windows = 1 + random() % 9;
    const auto stagers = static_cast<std::uint32_t>(1 + random() % 4);
    ArrivalHead head(windows, stagers);
    head.book.begin();
    // Each stager reads what it was told last, and from there on.
    std::uint64_t first = 0;
    std::vector<std::uint64_t> opened(windows);
    std::vector<std::vector<bool>> has(stagers, std::vector<bool>(windows));
    const auto obey = [&] {
      for (const auto& order : head.take())
        if (order.what == What::open)
          ++opened[order.window];
        else
          first = order.window;
    };
    while (!head.book.complete()) {
      obey();
      if (random() % 3 == 0) head.book.want(0, static_cast<std::uint32_t>(random() % 3), random() % windows);
      const auto stager = static_cast<std::uint32_t>(random() % stagers);
      for (std::uint64_t i = 0; i < windows; ++i)
        if (const auto window = (first + i) % windows; !has[stager][window]) {
          has[stager][window] = true;
          head.book.loaded(stager, window);
          break;
        }
    }
    obey();
    BOOST_TEST(opened == std::vector<std::uint64_t>(windows, 1), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(what_there_is_not_is_refused) {
  ArrivalHead head(3, 2);
  BOOST_CHECK_THROW(head.book.loaded(2, 0), Error);
  BOOST_CHECK_THROW(head.book.loaded(0, 3), Error);
  BOOST_CHECK_THROW(head.book.want(0, 0, 3), Error);
}

BOOST_AUTO_TEST_SUITE_END()
