#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "pair.hpp"
#include "ring/messages.hpp"
#include "texts.hpp"

using namespace headrace;
using namespace headrace::ring;

namespace {

Welcome a_welcome() {
  return {.service = "lcd",
          .stream = "train",
          .rank = 3,
          .world_size = 8,
          .batches = 100,
          .samples = 1ull << 40,
          .epochs = 5,
          .batch = 256,
          .slots = 4,
          .epoch = 2,
          .step = 17,
          .generation = 9,
          .fields = {{"ECAL", DType::float16, {25, 25, 25}, {}, {}},
                     {"jet", DType::float32, {4}, {"pt", "η", "phi", "m"}, {}},
                     {"label", DType::int64, {}, {}, {"e", "gamma"}}},
          .fingerprint = {{"files", "00ff"}, {"seed", "4"}},
          .ring_bytes = 1ull << 33,
          .stager = 1,
          .pid = 4711,
          .host = "n03",
          .last = "pad"};
}

const std::vector<std::string>& specimens() {
  static const std::vector<std::string> all{
      encode(Hello{.stream = "train", .rank = 1, .world_size = 2, .local_rank = 0, .host = "n03", .pid = 4711}),
      encode(Seek{3, 4, 5}),
      encode(Goodbye{}),
      encode(Command{"stat", R"({"watch":true})"}),
      encode(Loading{"reading slabs", 0.5}),
      encode(a_welcome()),
      encode(Refused{Refusal::failed, "no memory"}),
      encode(Dying{"stopped"}),
      encode(Agree{7, 4, 5}),
      encode(Agreed{7, "no"}),
      encode(AskFiles{}),
      encode(FilesTold{})};
  return all;
}

/// Decodes as both sides; anything but an Error is a failure of the test.
bool survives(const std::string& text) {
  for (const bool client : {true, false}) try {
      client ? static_cast<void>(decode_from_client(text)) : static_cast<void>(decode_from_service(text));
    } catch (const Error& error) {
      if (std::string(error.what()).empty()) return false;
    }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(messages)

BOOST_AUTO_TEST_CASE(what_is_said_is_heard) {
  const auto hello = std::get<Hello>(decode_from_client(specimens()[0]));
  BOOST_TEST((hello.role == Role::trainer && hello.stream == "train" && hello.rank == 1 && hello.world_size == 2));
  BOOST_TEST((hello.local_rank == 0 && hello.host == "n03" && hello.pid == 4711 && hello.version == protocol_version));
  const auto control = std::get<Hello>(decode_from_client(encode(Hello{.role = Role::control})));
  BOOST_TEST((control.role == Role::control && control.local_rank == -1));
  const auto seek = std::get<Seek>(decode_from_client(specimens()[1]));
  BOOST_TEST((seek.generation == 3 && seek.epoch == 4 && seek.step == 5));
  BOOST_TEST(std::holds_alternative<Goodbye>(decode_from_client(specimens()[2])));
  const auto command = std::get<Command>(decode_from_client(specimens()[3]));
  BOOST_TEST(command.name == "stat");
  BOOST_TEST(nlohmann::json::parse(command.body).at("watch") == true);
  BOOST_TEST(command.word.empty());
  BOOST_TEST(std::get<Command>(decode_from_client(encode(Command{"stop", "", "7f"}))).word == "7f");
  const auto loading = std::get<Loading>(decode_from_service(specimens()[4]));
  BOOST_TEST((loading.what == "reading slabs" && loading.fraction == 0.5));
  const auto refused = std::get<Refused>(decode_from_service(specimens()[6]));
  BOOST_TEST((refused.kind == Refusal::failed && refused.text == "no memory"));
  const auto agree = std::get<Agree>(decode_from_client(specimens()[8]));
  BOOST_TEST((agree.number == 7 && agree.epoch == 4 && agree.step == 5));
  const auto agreed = std::get<Agreed>(decode_from_service(specimens()[9]));
  BOOST_TEST((agreed.number == 7 && agreed.refusal == "no"));
  BOOST_TEST(std::holds_alternative<AskFiles>(decode_from_client(specimens()[10])));
  BOOST_TEST(std::holds_alternative<FilesTold>(decode_from_service(specimens()[11])));
  BOOST_TEST(std::get<Dying>(decode_from_service(specimens()[7])).text == "stopped");
}

BOOST_AUTO_TEST_CASE(a_welcome_says_everything) {
  const auto sent = a_welcome();
  const auto got = std::get<Welcome>(decode_from_service(encode(sent)));
  BOOST_TEST((got.service == sent.service && got.stream == sent.stream && got.host == sent.host));
  BOOST_TEST((got.rank == 3 && got.world_size == 8 && got.batches == 100 && got.samples == 1ull << 40));
  BOOST_TEST((got.epochs == 5 && got.batch == 256 && got.slots == 4 && got.epoch == 2 && got.step == 17));
  BOOST_TEST((got.generation == 9 && got.ring_bytes == 1ull << 33 && got.stager == 1 && got.pid == 4711));
  BOOST_TEST((got.fields == sent.fields));
  BOOST_TEST((got.fingerprint == sent.fingerprint));
  BOOST_TEST(got.last == "pad");
}

BOOST_AUTO_TEST_CASE(other_versions_are_named_with_what_to_do) {
  auto hello = nlohmann::json::parse(specimens()[0]);
  hello["headrace"] = 7;
  hello.erase("rank");  // another version may look otherwise
  BOOST_CHECK_EXCEPTION(decode_from_client(hello.dump()), VersionMismatch,
                        says("the trainer's library speaks protocol version 7 and the service version 2; use"));
  auto welcome = nlohmann::json::parse(specimens()[5]);
  welcome["welcome"]["headrace"] = 3;
  BOOST_CHECK_EXCEPTION(decode_from_service(welcome.dump()), VersionMismatch,
                        says("the service speaks protocol version 3 and this trainer's library version 2"));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named) {
  const auto change = [](std::size_t which, const char* path, const nlohmann::json& value) {
    auto json = nlohmann::json::parse(specimens()[which]);
    json[nlohmann::json::json_pointer(path)] = value;
    return json.dump();
  };
  BOOST_CHECK_EXCEPTION(decode_from_client("GET / HTTP/1.1"), Error, says("not a JSON object"));
  BOOST_CHECK_EXCEPTION(decode_from_client("[]"), Error, says("not a JSON object"));
  BOOST_CHECK_EXCEPTION(decode_from_client("{}"), Error, says("none of hello"));
  BOOST_CHECK_EXCEPTION(decode_from_service("{}"), Error, says("none of loading"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(0, "/rank", -1)), Error, says("'rank' of 'hello'"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(0, "/rank", 1.5)), Error, says("'rank' of 'hello'"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(0, "/rank", 5'000'000'000)), Error, says("'rank' of 'hello'"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(0, "/world_size", 0)), Error, says("'world_size' of 'hello'"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(0, "/role", "king")), Error, says("unknown role 'king'"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(0, "/stream", 3)), Error, says("'stream' of 'hello'"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(0, "/stream", std::string(5000, 'x'))), Error, says("at most"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(1, "/seek", 3)), Error, says("'seek' is not an object"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(1, "/seek/generation", 0)), Error, says("'generation' of 'seek'"));
  BOOST_CHECK_EXCEPTION(decode_from_service(change(5, "/welcome/batch", 0)), Error, says("'batch' of 'welcome'"));
  BOOST_CHECK_EXCEPTION(decode_from_service(change(5, "/welcome/slots", 5000)), Error, says("'slots' of 'welcome'"));
  BOOST_CHECK_EXCEPTION(decode_from_service(change(5, "/welcome/fields/0/dtype", "float8")), Error, says("float8"));
  BOOST_CHECK_EXCEPTION(decode_from_service(change(5, "/welcome/fields/0/shape/1", -5)), Error,
                        says("'shape' of 'field'"));
  BOOST_CHECK_EXCEPTION(decode_from_service(change(5, "/welcome/fields/1/columns", 1)), Error, says("not a list"));
  BOOST_CHECK_EXCEPTION(decode_from_service(change(5, "/welcome/fingerprint", 1)), Error,
                        says("'fingerprint' of 'welcome' is not an object"));
  BOOST_CHECK_EXCEPTION(decode_from_client(change(8, "/agree/step", -1)), Error, says("'step' of 'agree'"));
  BOOST_CHECK_EXCEPTION(decode_from_service(change(9, "/agreed/refusal", 1)), Error, says("'refusal' of 'agreed'"));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_text_do_not_stop_an_error_from_being_told) {
  const auto text = encode(Refused{Refusal::refused, "no file \xff\xfe.h5"});
  BOOST_TEST(std::get<Refused>(decode_from_service(text)).text.starts_with("no file "));
  BOOST_TEST(std::get<Loading>(decode_from_service(encode(Loading{"x", 0.0 / 0.0}))).fraction == -1);
}

BOOST_AUTO_TEST_CASE(garbage_is_refused_and_never_crashes) {
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = specimens()[random() % specimens().size()];
    for (auto changes = 1 + random() % 5; changes > 0 && !text.empty(); --changes) {
      const auto at = random() % text.size();
      switch (random() % 5) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + random() % 9);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), random() % 20));
          break;
        case 3:
          text[at] = "{}[]\",:0123456789-e.ntf"[random() % 23];
          break;
        default:
          text.resize(at);
          break;
      }
    }
    BOOST_REQUIRE(survives(text));
  }
  BOOST_TEST(survives(std::string(100'000, '[')));
  BOOST_TEST(survives(R"({"hello":)" + std::string(50'000, '{')));
  std::string deep = R"({"headrace":1,"role":)";
  for (int i = 0; i < 50'000; ++i) deep += "[";
  for (int i = 0; i < 50'000; ++i) deep += "]";
  BOOST_TEST(survives(deep + "}"));
}

BOOST_AUTO_TEST_SUITE_END()
