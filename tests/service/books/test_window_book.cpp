// Turns of windows as stager 0 decides them, with stagers that answer as they like.
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

#include "base/error.hpp"
#include "service/books/window_book.hpp"

using namespace headrace;
using namespace headrace::service::books;
using plan::EpochWindow;

BOOST_AUTO_TEST_SUITE(window_book)

namespace {

constexpr std::uint64_t windows = 5, epochs = 3;

std::optional<EpochWindow> after(EpochWindow at) {
  if (at.window + 1 < windows) return EpochWindow{at.epoch, at.window + 1};
  return at.epoch + 1 < epochs ? std::optional(EpochWindow{at.epoch + 1, 0}) : std::nullopt;
}

struct WindowHead {
  std::vector<WindowOrder> said;
  WindowBook book;
  explicit WindowHead(std::uint32_t stagers)
      : book(3, stagers, after, [this](const WindowOrder& order) { said.push_back(order); }) {}
  std::vector<WindowOrder> take() { return std::exchange(said, {}); }
  WindowOrder one(WindowOrder::What what) {
    const auto all = take();
    BOOST_TEST_REQUIRE(all.size() == 1u);
    BOOST_TEST((all[0].what == what && all[0].stream == 3));
    return all[0];
  }
  /// Takes a turn to its end.
  WindowOrder turn(std::uint32_t stagers) {
    const auto order = one(WindowOrder::What::leave);
    for (std::uint32_t s = 0; s < stagers; ++s) book.left(s, order.turn);
    one(WindowOrder::What::read);
    for (std::uint32_t s = 0; s < stagers; ++s) book.loaded(s, order.turn, true);
    BOOST_TEST(one(WindowOrder::What::open).both);
    return order;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_turn_goes_on_when_all_have_answered) {
  WindowHead head(3);
  head.book.hold({}, EpochWindow{0, 0});
  const auto leave = head.one(WindowOrder::What::leave);
  BOOST_TEST((leave.at == EpochWindow{0, 0} && leave.next == EpochWindow{0, 1}));
  head.book.left(0, leave.turn);
  head.book.left(2, leave.turn);
  head.book.left(2, leave.turn);
  BOOST_TEST(head.take().empty());
  head.book.loaded(0, leave.turn, true);  // not asked yet
  head.book.left(1, leave.turn);
  const auto read = head.one(WindowOrder::What::read);
  BOOST_TEST((read.at == leave.at && read.next == leave.next && read.pane == leave.pane && read.turn == leave.turn));
  head.book.loaded(0, leave.turn, false);
  head.book.loaded(1, leave.turn, true);
  BOOST_TEST(head.take().empty());
  head.book.loaded(2, leave.turn, false);
  BOOST_TEST(!head.one(WindowOrder::What::open).both);
  head.book.loaded(2, leave.turn, true);
  BOOST_TEST(head.take().empty());
  head.book.loaded(0, leave.turn, true);
  BOOST_TEST(head.one(WindowOrder::What::open).both);
  BOOST_CHECK_THROW(head.book.left(3, leave.turn), Error);
}

BOOST_AUTO_TEST_CASE(the_one_furthest_behind_decides) {
  WindowHead head(1);
  head.book.hold({{0, EpochWindow{0, 0}, "trainer 0"}, {1, EpochWindow{0, 0}, "trainer 1, which has not come"}}, {});
  const auto first = head.turn(1);
  head.book.moved(0, EpochWindow{0, 1});
  BOOST_TEST(head.take().empty());
  BOOST_TEST_REQUIRE(head.book.holding(5).size() == 1u);
  BOOST_TEST(head.book.holding(5)[0].who == "trainer 1, which has not come");
  head.book.moved(1, EpochWindow{0, 1});
  const auto second = head.turn(1);
  BOOST_TEST((second.at == EpochWindow{0, 1} && second.next == EpochWindow{0, 2}));
  BOOST_TEST(second.pane == 1 - first.pane);  // where it was read as the next one
  // Back by one: what is in memory stays where it is.
  head.book.moved(1, EpochWindow{0, 0});
  const auto third = head.turn(1);
  BOOST_TEST((third.at == EpochWindow{0, 0} && third.pane == first.pane));
  // One that needs nothing any more keeps nothing; where nobody does, all stays.
  head.book.moved(1, std::nullopt);
  BOOST_TEST((head.turn(1).at == EpochWindow{0, 1}));
  head.book.moved(0, std::nullopt);
  BOOST_TEST(head.take().empty());
  head.book.moved(7, EpochWindow{0, 0});  // nobody
  BOOST_TEST(head.take().empty());
  // All have said goodbye: what the next ones will begin with.
  head.book.hold({}, EpochWindow{1, 0});
  BOOST_TEST((head.turn(1).at == EpochWindow{1, 0}));
}

BOOST_AUTO_TEST_CASE(an_overtaken_turn_is_forgotten) {
  WindowHead head(2);
  head.book.hold({{0, EpochWindow{0, 0}, "trainer 0"}}, {});
  const auto old = head.one(WindowOrder::What::leave);
  head.book.left(0, old.turn);
  head.book.moved(0, EpochWindow{1, 3});
  const auto now = head.one(WindowOrder::What::leave);
  BOOST_TEST(now.turn > old.turn);
  head.book.left(1, old.turn);
  BOOST_TEST(head.take().empty());
  head.book.left(0, now.turn);
  head.book.left(1, now.turn);
  head.one(WindowOrder::What::read);
  head.book.loaded(0, old.turn, true);
  head.book.loaded(1, now.turn, true);
  BOOST_TEST(head.take().empty());
}

BOOST_AUTO_TEST_CASE(the_last_window_has_none_after_it) {
  WindowHead head(1);
  head.book.hold({{0, EpochWindow{epochs - 1, windows - 1}, "trainer 0"}}, {});
  const auto order = head.turn(1);
  BOOST_TEST(!order.next.has_value());
}

/// Whatever stagers and trainers do: nobody writes over what somebody may copy, and the one behind is served.
BOOST_AUTO_TEST_CASE(random_turns) {
  std::mt19937_64 random(5);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 200; ++round) {
    const auto stagers = static_cast<std::uint32_t>(1 + below(4)), trainers = static_cast<std::uint32_t>(1 + below(4));
    struct Stager {
      std::vector<WindowOrder> inbox;
      std::optional<EpochWindow> panes[2];
      std::set<std::pair<std::uint64_t, std::uint64_t>> open;  // epoch, window
      std::optional<WindowOrder> leaving, reading;
      std::optional<EpochWindow> copying;
    };
    std::vector<Stager> all(stagers);
    WindowHead head(stagers);
    std::vector<WindowHolder> holders;
    for (std::uint32_t t = 0; t < trainers; ++t) holders.push_back({t, EpochWindow{0, 0}, "x"});
    head.book.hold(holders, {});
    const auto settle = [&](bool to_the_end) {
      for (int step = 0; step < (to_the_end ? 1000 : 30); ++step) {
        for (const auto& order : head.take())
          for (auto& stager : all) stager.inbox.push_back(order);
        const auto s = static_cast<std::uint32_t>(below(stagers));
        auto& stager = all[s];
        switch (below(4)) {
          case 0:  // hears
            if (stager.inbox.empty()) break;
            if (const auto order = stager.inbox.front(); true) {
              stager.inbox.erase(stager.inbox.begin());
              const auto key = [](EpochWindow w) { return std::pair{w.epoch, w.window}; };
              if (order.what == WindowOrder::What::leave) {
                stager.leaving = order;
                std::erase_if(stager.open, [&](const auto& w) {
                  return w != key(order.at) && (!order.next || w != key(*order.next));
                });
              } else if (order.what == WindowOrder::What::read) {
                stager.reading = order;
                const std::optional<EpochWindow> in[] = {order.pane == 0 ? std::optional(order.at) : order.next,
                                                         order.pane == 0 ? order.next : std::optional(order.at)};
                for (int p = 0; p < 2; ++p)
                  if (stager.panes[p] != in[p]) {
                    // No stager of the service copies from what is dropped here.
                    for (const auto& other : all) BOOST_TEST((!other.copying || other.copying != stager.panes[p]));
                    stager.panes[p].reset();
                  }
              } else {
                for (const auto& other : all)
                  BOOST_TEST((other.panes[order.pane] == order.at &&
                              (!order.both || !order.next || other.panes[1 - order.pane] == order.next)));
                stager.open.insert(key(order.at));
                if (order.both && order.next) stager.open.insert(key(*order.next));
              }
            }
            break;
          case 1:  // answers that it has left
            if (!stager.leaving) break;
            if (stager.copying && stager.copying != stager.leaving->at && stager.copying != stager.leaving->next) break;
            head.book.left(s, stager.leaving->turn);
            stager.leaving.reset();
            break;
          case 2:  // reads
            if (!stager.reading) break;
            if (auto& order = *stager.reading; stager.panes[order.pane] != order.at) {
              stager.panes[order.pane] = order.at;
              head.book.loaded(s, order.turn, !order.next || stager.panes[1 - order.pane] == order.next);
            } else {
              stager.panes[1 - order.pane] = order.next;
              head.book.loaded(s, order.turn, true);
              stager.reading.reset();
            }
            break;
          default:  // copies, or stops
            if (stager.copying)
              stager.copying.reset();
            else if (!stager.open.empty() && !to_the_end)
              stager.copying = EpochWindow{stager.open.begin()->first, stager.open.begin()->second};
        }
      }
    };
    for (int change = 0; change < 20; ++change) {
      auto& holder = holders[below(trainers)];
      holder.at = EpochWindow{below(epochs), below(windows)};
      head.book.moved(holder.rank, holder.at);
      settle(false);
    }
    settle(true);
    const auto lowest =
        std::min_element(holders.begin(), holders.end(), [](const auto& a, const auto& b) { return *a.at < *b.at; });
    BOOST_TEST((head.book.at() == lowest->at));
    for (const auto& stager : all) BOOST_TEST(stager.open.contains({lowest->at->epoch, lowest->at->window}));
  }
}

BOOST_AUTO_TEST_SUITE_END()
