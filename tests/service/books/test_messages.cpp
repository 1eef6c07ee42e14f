// Messages between stagers: what is said is what is heard, and what makes no sense is refused by name.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "service/books/messages.hpp"
#include "texts.hpp"

using namespace headrace;
using namespace headrace::service::books;

BOOST_AUTO_TEST_SUITE(messages)

namespace {

Ledger ledger() {
  Ledger ledger(10, 3);
  for (int i = 0; i < 12; ++i) ledger.released(*ledger.next(), 5, 77);
  ledger.seek({1, 7});
  return ledger;
}

const Grant grant{4, 2, ledger(), 3, {{1, {2, 5}, "rank 0 (process 7 on n03)"}}};
const TrainerFigures trainer{.stream = "train", .rank = 3, .who = "process 1 on \"n\"", .trainer_wait = 0.25};
const View view{.node = 2,
                .host = "n03",
                .stagers = 3,
                .silent_stagers = {7},
                .retired = {{"train", "n03", 4096, "trainer 3 lives on"}},
                .memory = {.store_bytes = 1, .rings_bytes = 2, .available_bytes = std::uint64_t{1} << 40},
                .trainers = {trainer},
                .last = false};

const std::vector<ToHead> to_head{
    ClaimRank{9, 1, {0, 3, 8, "process 1 on n03", "no room"}},
    Left{1, 3, 4, ledger(), true},
    Finished{1, 3, 4, false},
    TrainerEpoch{.stream = 1,
                 .rank = 3,
                 .world_size = 8,
                 .session = 2,
                 .abandoned = true,
                 .tally = {.epoch = 5, .first = 1, .low = 4, .rows = 30, .hash = ~0ull, .wrong = 2},
                 .seconds = 1.5,
                 .trainer_wait = 0.5,
                 .stager_wait = 0.125},
    AskAgree{1, 2, 3, 0, 5, 6, 7, {8, 9}},
    Stop{"headrace stop"},
    Ending{3},
    Drained{3},
    LeftOutSum{1, {0, 2, 5, {1, 0, 4}}, 1ull << 63},
    Watch{4},
    view,
    WantDraw{2, 1, 7},
    Drawn{3, 1, 7, 900},
    AtWindow{1, 5, 9, plan::EpochWindow{2, 7}},
    WindowAnswer{3, 1, 8, WindowAnswer::What::both_loaded, 12345678901},
    ReadingWindow{3, 1, 8, {2, 7}, 100, 900},
    Arrived{3, 7, 900},
    Arriving{3, 7, 100, 900}};
const std::vector<FromHead> from_head{
    Granted{9, grant},
    ClaimRefused{9, "taken by another", true},
    AgreeAnswer{1, 2, 3, "no"},
    StateTaken{1, {4, {2, 3}, "rank 1"}},
    AskLeftOut{{0, 2, 5, {1, 0, 4}}},
    End{"all epochs are consumed"},
    Exit{},
    Look{},
    Shown{view},
    Viewed{{.trainers = 7,
            .streams = {{.name = "train",
                         .samples = 9,
                         .window = WindowFigures{.epoch = 2, .window = 7, .windows = 8, .held_by = "trainer 5"}}},
            .arrival = ArrivalFigures{.windows = 8, .opened = 2, .window = 5, .read = 0.25}},
           {"n1", "n2"}},
    AskDraw{1, 7},
    DrawRows{1, 7, {900, 0, 30}},
    WindowOrder{WindowOrder::What::read, 1, 8, {2, 7}, plan::EpochWindow{3, 0}, 1, true},
    ArrivalOrder{ArrivalOrder::What::open, 7}};
const std::vector<ToLeader> to_leader{
    RingMade{1, 2, "too little memory"}, RingRetired{1, 2, 4096, "lives on"}, RingLeft{1, 2, RingState::blocked},
    Figures{.local = 1, .trainers = {trainer}, .private_bytes = 12}, Ended{"stager 3 on n03 was ended by SIGTERM"}};
const std::vector<ToStager> to_stager{HandOver{0, 1, 2, 4, 3, true, "process 1 on n03", grant},
                                      MakeRing{1, 2},
                                      AgreeAnswer{1, 2, 3, ""},
                                      StateTaken{1, {4, {2, 3}, "rank 1"}},
                                      End{"why"},
                                      Exit{},
                                      Look{},
                                      Dead{"stager 3 on n03 died"},
                                      AskDraw{1, 7},
                                      DrawRows{1, 7, {900, 0, 30}},
                                      WindowOrder{WindowOrder::What::open, 1, 8, {2, 7}},
                                      ArrivalOrder{ArrivalOrder::What::read, 3}};

template <class Way, class Decode>
void comes_back(const std::vector<Way>& all, const Decode& decode) {
  BOOST_TEST(all.size() == std::variant_size_v<Way>);  // one of each: a new message is tested, too
  std::set<std::size_t> kinds;
  for (const auto& message : all) {
    const auto text = encode(message);
    const Way heard = decode(text);
    BOOST_TEST(heard.index() == message.index());
    BOOST_TEST(encode(heard) == text);
    kinds.insert(heard.index());
  }
  BOOST_TEST(kinds.size() == all.size());
}

template <class Decode>
std::string refusal(const Decode& decode, std::string_view text) {
  try {
    decode(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_said_is_heard) {
  comes_back(to_head, decode_to_head);
  comes_back(from_head, decode_from_head);
  comes_back(to_stager, decode_to_stager);
  comes_back(to_leader, [](std::string_view text) { return std::get<ToLeader>(decode_from_stager(text)); });
  comes_back(to_head, [](std::string_view text) { return std::get<ToHead>(decode_from_stager(text)); });
}

BOOST_AUTO_TEST_CASE(values_arrive) {
  const auto back = std::get<Finished>(decode_to_head(encode(to_head[2])));
  BOOST_TEST((back.stream == 1 && back.rank == 3 && back.generation == 4 && !back.finished));
  const auto granted = std::get<Granted>(decode_from_head(encode(from_head[0])));
  BOOST_TEST(granted.grant.loads == 3u);
  BOOST_TEST((granted.grant.ledger.position() == ledger().position()));
  BOOST_TEST((granted.grant.resumed.at(0).at == Step{2, 5}));
  BOOST_TEST(granted.grant.resumed.at(0).who == "rank 0 (process 7 on n03)");
  const auto epoch = std::get<TrainerEpoch>(decode_to_head(encode(to_head[3])));
  BOOST_TEST((epoch.tally.hash == ~0ull && epoch.tally.wrong == 2 && epoch.abandoned && epoch.seconds == 1.5));
  const auto left = std::get<RingLeft>(std::get<ToLeader>(decode_from_stager(encode(to_leader[2]))));
  BOOST_TEST((left.state == RingState::blocked));
  const auto claim = std::get<ClaimRank>(decode_to_head(encode(to_head[0]))).claim;
  BOOST_TEST((claim.rank == 3 && claim.world_size == 8 && claim.no_room == "no room"));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_here_is_refused_by_name) {
  for (const auto& text :
       {refusal(decode_to_head, R"({"type":"hop"})"), refusal(decode_from_head, R"({"type":"hop"})"),
        refusal(decode_to_stager, R"({"type":"hop"})"), refusal(decode_from_stager, R"({"type":"hop"})")}) {
    BOOST_TEST(has(text, "type 'hop' came from another stager, which makes no sense here"), text);
    BOOST_TEST(has(text, "start all stagers from one installation"), text);
  }
  // Known, but not on this way.
  BOOST_TEST(has(refusal(decode_to_head, encode(from_head[5])), "'end'"));
  BOOST_TEST(has(refusal(decode_from_head, encode(to_head[5])), "'stop'"));
  BOOST_TEST(has(refusal(decode_to_stager, encode(to_leader[0])), "'ring_made'"));
  BOOST_TEST(has(refusal(decode_from_stager, encode(to_stager[1])), "'make_ring'"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_refused) {
  for (const auto* text : {"", "nonsense", "7", "[]", "{}", R"({"type":5})", R"({"type":"ending"})",
                           R"({"type":"ending","stager":"three"})", R"({"type":"left","stream":0})"})
    BOOST_TEST(has(refusal(decode_to_head, text), "a message of another stager cannot be read"), text);
  BOOST_TEST(refusal(decode_from_stager, R"({"type":"ring_left","stream":0,"ring":0,"state":9})") != "taken");
  const auto long_one = refusal(decode_to_head, std::string(100'000, 'x'));
  BOOST_TEST(long_one.size() < 1000u);
}

BOOST_AUTO_TEST_CASE(a_character_cut_in_two_keeps_nobody_from_hearing) {
  const std::string cut("died of \xc3");
  const auto heard = std::get<Dead>(decode_to_stager(encode(ToStager(Dead{cut}))));
  BOOST_TEST(has(heard.text, "died of "));
}

BOOST_AUTO_TEST_CASE(documents_for_tools_carry_their_type) {
  BOOST_TEST(document(view).at("type") == "view");
  const auto shown = document(Shown{view});
  BOOST_TEST(shown.at("type") == "shown");
  BOOST_TEST(shown.at("host") == "n03");
  BOOST_TEST(shown.at("memory").at("available_bytes") == std::uint64_t{1} << 40);
  BOOST_TEST(shown.at("trainers").at(0).at("who") == "process 1 on \"n\"");
  BOOST_TEST(document(Viewed{}).at("missing_nodes").empty());
}

BOOST_AUTO_TEST_SUITE_END()
