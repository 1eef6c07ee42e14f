// Of several runs that write the same one has the claim, and it is taken from none that lives.
#include "commands/writing/claim.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "commands/writing/place.hpp"
#include "texts.hpp"

namespace headrace::commands::writing {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto never = std::chrono::hours{1};  // a test that waits for that hangs

struct Folder {
  fs::path path = fs::temp_directory_path() / ("headrace-claim-" + std::to_string(getpid()));
  std::string output = (path / "x.h5").string(), claim = output + ".part.by";

  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }

  std::unique_ptr<Claim> take(std::chrono::milliseconds look, std::function<void(const std::string&)> lost = {}) const {
    auto taken = std::make_unique<Claim>(output, Claim::Setup{.look = look, .renew = 10ms, .lost = std::move(lost)});
    taken->take();
    return taken;
  }
  /// What a run on another machine says.
  void write_of_another_machine() const {
    std::ofstream(claim) << R"({"host": "n7", "pid": 1, "since": "2026-01-02 03:04:05 UTC", "place": "1 2 x", )"
                            R"("start": "3"})";
  }
  /// What a run on this one leaves that is killed.
  void leave_one() const {
    const auto child = fork();
    if (child == 0) {
      (new Claim(output, {.look = never, .renew = never, .lost = {}}))->take();
      _exit(0);
    }
    int status = 1;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    BOOST_REQUIRE(fs::exists(claim));
  }
  bool is_empty() const { return fs::is_empty(path); }
};

std::string this_process() {
  return "process " + std::to_string(getpid()) + " on ";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(claims, Folder)

BOOST_AUTO_TEST_CASE(one_has_it_until_its_end) {
  auto first = take(never);
  BOOST_CHECK_EXCEPTION(take(never), UsageError,
                        says("'" + output + "' is being written by another run (" + this_process()));
  BOOST_TEST(fs::exists(claim));
  first.reset();
  BOOST_TEST(is_empty());
  take(never);
  BOOST_TEST(is_empty());
}

BOOST_AUTO_TEST_CASE(it_can_be_let_go_early_and_is_nobody_elses_then) {
  const auto first = take(never);
  first->release();
  BOOST_TEST(is_empty());
  const auto second = take(never);
  first->release();
  BOOST_TEST(fs::exists(claim));
}

BOOST_AUTO_TEST_CASE(one_that_is_let_go_before_it_is_there_is_never_made) {
  Claim late(output, {.look = never, .lost = {}});
  late.release();
  BOOST_CHECK_THROW(late.take(), Error);
  BOOST_TEST(is_empty());
}

BOOST_AUTO_TEST_CASE(from_a_process_of_here_that_is_gone_it_is_taken_at_once) {
  leave_one();
  BOOST_TEST(text_of_begun(output, "x.h5.part") ==
             "'x.h5.part' is what an earlier run left; go on with --resume, or begin anew with --force");
  take(never);
  BOOST_TEST(is_empty());
  leave_one();
  sweep_claim(output);
  BOOST_TEST(is_empty());
}

BOOST_AUTO_TEST_CASE(the_journal_of_a_run_elsewhere_stays_beside_an_old_file) {
  const auto journal = output + ".part.json";
  std::ofstream(output) << "old";
  std::ofstream(journal) << "{}";  // of several files: the one of their name comes last
  write_of_another_machine();
  BOOST_CHECK_THROW(require_free(output, true, false, false), UsageError);
  BOOST_TEST(fs::exists(journal));
  fs::remove(claim);
  BOOST_CHECK_THROW(require_free(output, true, false, false), UsageError);
  BOOST_TEST(!fs::exists(journal));  // of a run that was killed when its file stood in its place
}

BOOST_AUTO_TEST_CASE(of_another_machine_one_whose_time_stands_still_is_gone) {
  write_of_another_machine();
  sweep_claim(output);
  BOOST_TEST(fs::exists(claim));
  const auto told = text_of_begun(output, "x.h5.part");
  BOOST_TEST(has(told, "is being written, or was, by another run (process 1 on n7, since 2026-01-02 03:04:05 UTC)"));
  BOOST_TEST(has(told, "if it is gone, go on with --resume"));
  take(20ms);
  BOOST_TEST(is_empty());
  std::ofstream(claim) << "{";  // of one that was killed just then
  take(20ms);
  BOOST_TEST(is_empty());
}

BOOST_AUTO_TEST_CASE(of_another_machine_one_whose_time_changes_lives) {
  write_of_another_machine();
  std::atomic<bool> over = false;
  std::thread writer([&] {
    while (!over) {
      utimensat(AT_FDCWD, claim.c_str(), nullptr, 0);
      std::this_thread::sleep_for(1ms);
    }
  });
  BOOST_CHECK_EXCEPTION(take(never), UsageError,
                        says("(process 1 on n7, since 2026-01-02 03:04:05 UTC; it gave a sign of life"));
  over = true;
  writer.join();
  BOOST_TEST(fs::exists(claim));
}

BOOST_AUTO_TEST_CASE(of_another_machine_one_that_ends_meanwhile_is_no_more) {
  write_of_another_machine();
  auto taken = std::async(std::launch::async, [&] { take(never); });
  BOOST_TEST((taken.wait_for(50ms) == std::future_status::timeout));
  fs::remove(claim);
  BOOST_CHECK_NO_THROW(taken.get());
}

BOOST_AUTO_TEST_CASE(its_time_is_renewed) {
  const auto first = take(never);
  struct stat before {
  }, now{};
  BOOST_REQUIRE(stat(claim.c_str(), &before) == 0);
  do {
    BOOST_REQUIRE(stat(claim.c_str(), &now) == 0);
  } while (now.st_mtim.tv_sec == before.st_mtim.tv_sec && now.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
}

BOOST_AUTO_TEST_CASE(who_has_lost_it_hears_of_it) {
  std::promise<std::string> lost;
  auto first = take(never, [&](const std::string& why) { lost.set_value(why); });
  fs::remove(claim);
  write_of_another_machine();
  BOOST_TEST(has(lost.get_future().get(), claim + " is gone: another run has taken '" + output + "' over"));
  first.reset();
  BOOST_TEST(fs::exists(claim));
}

BOOST_AUTO_TEST_CASE(of_many_that_find_one_that_is_gone_one_takes_it) {
  constexpr int rounds = 10, runs = 8;
  for (int round = 0; round < rounds; ++round) {
    round % 2 ? leave_one() : write_of_another_machine();
    std::promise<void> go;
    const auto gone = go.get_future().share();
    std::vector<std::future<std::unique_ptr<Claim>>> all;
    for (int i = 0; i < runs; ++i)
      all.push_back(std::async(std::launch::async, [&, gone]() -> std::unique_ptr<Claim> {
        gone.wait();
        try {
          return take(round % 2 ? never : 1000ms, [](const std::string&) { std::abort(); });
        } catch (const UsageError&) {
          return nullptr;
        }
      }));
    go.set_value();
    std::vector<std::unique_ptr<Claim>> have;
    for (auto& one : all) have.push_back(one.get());
    BOOST_TEST(std::ranges::count_if(have, [](const auto& one) { return one != nullptr; }) == 1);
    have.clear();
    BOOST_TEST(is_empty());
  }
}

BOOST_AUTO_TEST_CASE(one_that_was_killed_as_it_took_it_is_in_nobodys_way) {
  write_of_another_machine();
  std::ofstream(claim + ".turn") << "";
  take(20ms);
  BOOST_TEST(is_empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_file_stays) {
  fs::create_directory(claim);
  BOOST_CHECK_EXCEPTION(take(never), UsageError, says("is in the way"));
  fs::remove(claim);
  fs::create_symlink("nowhere", claim);
  BOOST_CHECK_EXCEPTION(take(never), UsageError, says("is in the way"));
  BOOST_TEST(fs::is_symlink(claim));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::commands::writing
