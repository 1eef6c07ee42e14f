#include "service/books/draw_book.hpp"

#include <boost/test/unit_test.hpp>

#include "base/error.hpp"

using namespace headrace;
using headrace::service::books::DrawBook;

BOOST_AUTO_TEST_SUITE(draw_book)

BOOST_AUTO_TEST_CASE(all_are_asked_once_and_known_when_all_have_answered) {
  DrawBook book(3);
  BOOST_TEST((book.want(1, 7) == DrawBook::Answer::ask));
  BOOST_TEST((book.want(1, 7) == DrawBook::Answer::wait));
  BOOST_TEST((book.want(0, 7) == DrawBook::Answer::ask));
  BOOST_TEST(!book.came(1, 7, 2, 30));
  BOOST_TEST(!book.came(1, 7, 0, 10));
  BOOST_TEST((book.want(1, 7) == DrawBook::Answer::wait));
  BOOST_TEST(book.came(1, 7, 1, 20));
  BOOST_TEST((book.want(1, 7) == DrawBook::Answer::known));
  BOOST_TEST(book.rows(1, 7) == (std::vector<std::uint64_t>{10, 20, 30}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(answers_that_nobody_asked_for_are_refused) {
  DrawBook book(2);
  BOOST_CHECK_THROW(book.came(0, 1, 0, 5), Error);
  book.want(0, 1);
  book.came(0, 1, 0, 5);
  BOOST_CHECK_THROW(book.came(0, 1, 0, 5), Error);
  BOOST_CHECK_THROW(book.came(0, 1, 2, 5), Error);
}

BOOST_AUTO_TEST_CASE(old_epochs_are_forgotten_but_none_that_is_asked) {
  DrawBook book(1);
  book.want(0, 1'000'000);
  for (std::uint64_t epoch = 1; epoch <= 3 * DrawBook::most_known; ++epoch) {
    book.want(0, epoch);
    book.came(0, epoch, 0, epoch);
  }
  BOOST_TEST((book.want(0, 1'000'000) == DrawBook::Answer::wait));
  BOOST_TEST((book.want(0, 3 * DrawBook::most_known) == DrawBook::Answer::known));
  BOOST_TEST((book.want(0, 1) == DrawBook::Answer::ask));
}

BOOST_AUTO_TEST_SUITE_END()
