// Getting in: services that refuse, lie, are of another version or user, come late, or go while loading.
#include <atomic>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "../ipc/child.hpp"
#include "scripted.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(handshake)

BOOST_AUTO_TEST_CASE(other_versions_are_refused_with_both_numbers) {
  const Scripted service([](auto& c) { say(c, R"({"welcome":{"headrace":9,"what":"else"}})"); });
  const Trainer trainer(service.name());
  BOOST_TEST(trainer.code == HR_REFUSED);
  BOOST_TEST(trainer.error.find("the service speaks protocol version 9 and this trainer's library version 2") == 0);
  const Scripted other([](auto& c) { say(c, encode(ring::Refused{ring::Refusal::version, "yours is 1, mine is 2"})); });
  const Trainer second(other.name());
  BOOST_TEST(second.code == HR_REFUSED);
  BOOST_TEST(second.error == "yours is 1, mine is 2");
}

BOOST_AUTO_TEST_CASE(garbage_and_lies_are_errors) {
  const std::vector<std::pair<Scripted::Script, const char*>> scripts{
      {[](auto& c) { say(c, "220 smtp ready"); }, "not a JSON object"},
      {[](auto& c) { say(c, R"({"welcome":{"headrace":2}})"); }, "no 'service'"},
      {[](auto& c) { say(c, encode(Guesthouse().welcome)); }, "0 descriptors instead of 3"},
      {[](auto& c) { Guesthouse().let_in(c, c.fd()); }, "no pidfd"},
      {[](auto& c) {
         Guesthouse house;
         const auto memory = ipc::make_memfd("open", house.producer.bytes());
         say(c, encode(house.welcome), {memory.get(), house.bell.fd(), house.self.get()});
       },
       "not a sealed memfd"},
      {[](auto& c) {
         Guesthouse house;
         house.welcome.slots = 2;
         house.let_in(c);
       },
       "corrupted ring header: the number of slots is 3 instead of 2"},
      {[](auto& c) {
         Guesthouse house;
         house.welcome.fields[0].shape = {1ull << 60, 1ull << 60};
         house.let_in(c);
       },
       "too large"}};
  for (const auto& [script, text] : scripts) {
    const Scripted service(script);
    const Trainer trainer(service.name());
    BOOST_TEST(trainer.code == HR_INVALID);
    BOOST_TEST(trainer.error.find(text) != std::string::npos, "'" << trainer.error << "' lacks '" << text << "'");
  }
}

BOOST_AUTO_TEST_CASE(a_service_that_goes_while_loading_is_lost) {
  const Scripted dying([](auto& c) { say(c, encode(ring::Loading{"slabs", 0.1})); });
  const Trainer first(dying.name());
  BOOST_TEST(first.code == HR_LOST);
  BOOST_TEST(first.error.find("ended while loading") != std::string::npos);
  const Scripted failing([](auto& c) { say(c, encode(ring::Refused{ring::Refusal::failed, "no such file"})); });
  const Trainer second(failing.name());
  BOOST_TEST(second.code == HR_LOST);
  BOOST_TEST(second.error == "no such file");
  const Scripted silent([](auto&) {});
  const Trainer third(silent.name(), 0);
  BOOST_TEST(third.code == HR_LOST);
}

BOOST_AUTO_TEST_CASE(a_service_that_goes_before_it_says_a_word_is_lost_unless_another_starts) {
  const auto name = unique_name("brief");
  auto listener = std::make_unique<ipc::Listener>(ipc::Address(name));
  std::thread service([&] {
    const auto connection = listener->accept(1h);
    listener.reset();
  });
  const Trainer trainer(name, 2);
  service.join();
  BOOST_TEST(trainer.code == HR_LOST);
  BOOST_TEST(
      trainer.error.find("ended before it said a word, and no other was started within 2 s") != std::string::npos,
      trainer.error);
}

BOOST_AUTO_TEST_CASE(a_service_that_starts_later_is_found) {
  const auto name = unique_name("later");
  std::atomic<bool> waiting{false};
  std::string error = "nothing yet";
  std::thread early([&] {
    waiting = true;
    error = Trainer(name).error;
  });
  while (!waiting) std::this_thread::yield();
  const FakeStager stager({}, name);
  early.join();
  BOOST_TEST(error == "");
}

BOOST_AUTO_TEST_CASE(another_users_service_is_refused) {
  if (geteuid() != 0) return;  // only root can be somebody else
  const auto folder = std::filesystem::temp_directory_path() / unique_name("headrace-client");
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  const auto path = (folder / "socket").string();
  {
    Child stranger([&] {
      if (setresuid(65534, 65534, 65534) != 0) return 1;
      const ipc::Listener listener{ipc::Address(path)};
      pause();
      return 0;
    });
    const Trainer trainer(path);
    BOOST_TEST(trainer.code == HR_REFUSED);
    BOOST_TEST(trainer.error.find("another user, uid 65534") != std::string::npos);
  }
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()
