#include "base/reading_note.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <thread>

using namespace headrace;

namespace {

std::string text(const char* name) {
  return name != nullptr ? name : "-";
}

std::string now() {
  const auto reading = ReadingNote::of_this_thread();
  return text(reading.file) + " " + text(reading.dataset);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reading_note)

BOOST_AUTO_TEST_CASE(notes_nest_and_belong_to_their_thread) {
  const std::string a = "a.h5", b = "b.h5", x = "x", y = "g/y";
  BOOST_TEST(now() == "- -");
  {
    const auto file = ReadingNote::of_file(a);
    BOOST_TEST(now() == "a.h5 -");
    {
      const auto dataset = ReadingNote::of_dataset(x);
      BOOST_TEST(now() == "a.h5 x");
      {
        const auto other = ReadingNote::of(b, y);
        BOOST_TEST(now() == "b.h5 g/y");
        std::string seen;
        std::thread([&] { seen = now(); }).join();
        BOOST_TEST(seen == "- -");
      }
      BOOST_TEST(now() == "a.h5 x");
    }
    BOOST_TEST(now() == "a.h5 -");
  }
  BOOST_TEST(now() == "- -");
}

BOOST_AUTO_TEST_CASE(a_board_shows_them_and_every_step) {
  const auto board = std::make_unique<ReadingBoard>();
  show_reading_on(board.get());
  const std::string a = "a.h5", x = "x", long_name(10000, 'n');
  std::uint64_t before = 0;
  const auto stepped = [&] { return board->steps.load() > std::exchange(before, board->steps.load()); };
  {
    const auto file = ReadingNote::of_file(a);
    BOOST_TEST(stepped());
    BOOST_TEST(std::string(board->file.data()) == "a.h5");
    {
      const auto dataset = ReadingNote::of_dataset(x);
      BOOST_TEST(stepped());
      BOOST_TEST(std::string(board->file.data()) == "a.h5");
      BOOST_TEST(std::string(board->dataset.data()) == "x");
      note_progress();
      BOOST_TEST(stepped());
      BOOST_TEST(!stepped());
    }
    BOOST_TEST(std::string(board->dataset.data()) == "");
    const auto whole = ReadingNote::of_dataset(long_name);
    BOOST_TEST(std::string(board->dataset.data()) == long_name.substr(0, board->dataset.size() - 1));
  }
  BOOST_TEST(std::string(board->file.data()) == "");
  show_reading_on(nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
