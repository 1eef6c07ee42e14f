// The question for the files: answers that are wrong, late, or never come.
#include <atomic>
#include <string>
#include <thread>

#include "interrupt.hpp"
#include "scripted.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(files_told_wrong_are_an_error_and_may_be_asked_for_again) {
  Guesthouse house;
  const auto open = ipc::make_memfd("open", 9);
  const auto gap = ipc::make_memfd_of("gap", std::string("5 5 /a.h5\0", 10));
  const auto good = ipc::make_memfd_of("good", std::string("0 100 /a.h5\0", 12));
  std::atomic<bool> over{false};
  const Scripted service([&](auto& c) {
    house.let_in(c);
    const auto hear_question = [&] {
      const auto heard = c.receive(1h);
      BOOST_TEST(std::holds_alternative<ring::AskFiles>(ring::decode_from_client(heard.message.text)));
    };
    hear_question(), say(c, encode(ring::FilesTold{}));
    hear_question(), say(c, encode(ring::FilesTold{}), {open.get()});
    hear_question(), say(c, encode(ring::FilesTold{}), {gap.get()});
    hear_question(), house.publish(0), say(c, encode(ring::FilesTold{}), {good.get()});
    say(c, encode(ring::FilesTold{}), {good.get()});  // one too many: what was given stays where it is
    while (!over) std::this_thread::yield();
  });
  const Trainer trainer(service.name());
  const hr_file* const* files = nullptr;
  const hr_file* const* again = nullptr;
  std::size_t count = 0;
  for (const auto* wrong : {"0 descriptors instead of 1", "not a sealed memfd", "malformed table of files"}) {
    BOOST_TEST(hr_files(trainer.stream, &files, &count) == HR_INVALID);
    BOOST_TEST(error_says(wrong));
    BOOST_TEST((files == nullptr && count == 0));
  }
  BOOST_TEST(hr_files(trainer.stream, &files, &count) == HR_OK);
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  BOOST_TEST(trainer.acquire(batch, 0) == HR_TIMEOUT);  // listens
  BOOST_TEST(hr_files(trainer.stream, &again, &count) == HR_OK);
  BOOST_TEST((again == files && count == 1 && files[0]->samples == 100 && std::string(files[0]->path) == "/a.h5"));
  over = true;
}

BOOST_AUTO_TEST_CASE(a_question_for_files_ends_with_a_signal_and_with_the_service) {
  Guesthouse house;
  const Signals signals;
  std::atomic<bool> over{false};
  const Scripted service([&](auto& c) {
    house.let_in(c);
    while (!over) std::this_thread::yield();  // reads nothing
  });
  const Trainer trainer(service.name());
  const hr_file* const* files = nullptr;
  std::size_t count = 0;
  std::atomic<bool> done{false};
  int code = HR_OK;
  std::thread asker([&] {
    code = hr_files(trainer.stream, &files, &count);
    done = true;
  });
  Signals::at(asker, done);
  BOOST_TEST(code == HR_INTERRUPTED);
  over = true;
  BOOST_TEST(hr_files(trainer.stream, &files, &count) == HR_LOST);
}

BOOST_AUTO_TEST_SUITE_END()
