#include "formats/journal.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "formats/contiguous.hpp"
#include "formats/formats_fixture.hpp"

namespace headrace::formats {

namespace {

/// Files of this process end here, as where a disk is full.
class FileEnd {
 public:
  explicit FileEnd(std::uint64_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    BOOST_TEST_REQUIRE(setrlimit(RLIMIT_FSIZE, &now) == 0);
  }
  ~FileEnd() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_{};
  void (*signal_)(int);
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(journal, FormatsFixture)

BOOST_AUTO_TEST_CASE(what_is_committed_is_read_again_whoever_wrote_it) {
  const auto part = path("x.h5.part");
  {
    BlockLog first(part, 0), second(part, 7);
    first.add({3, 0xdeadbeef, {{4096, 10, 0}, {5000, 7, 2}}});
    first.commit();
    second.add({1, 5, {}});
    second.commit();
    second.add({2, 6, {}});  // never committed
  }
  BlockLog again(part, 0);
  again.add({9, 1, {}});
  again.commit();
  const auto blocks = read_blocks(part);
  BOOST_TEST(blocks.size() == 3u);
  BOOST_TEST((blocks.at(3) == BlockEntry{3, 0xdeadbeef, {{4096, 10, 0}, {5000, 7, 2}}}));
  BOOST_TEST((blocks.at(1) == BlockEntry{1, 5, {}}));
  BOOST_TEST((blocks.at(9) == BlockEntry{9, 1, {}}));
}

BOOST_AUTO_TEST_CASE(a_line_that_was_cut_off_is_none_and_spoils_no_other) {
  const auto part = path("x.part");
  std::ofstream(part + ".blocks.0") << "\n1 0000000a ;\n2 00000000 4096 1";
  BOOST_TEST(read_blocks(part).size() == 1u);
  BlockLog log(part, 0);
  log.add({5, 5, {}});
  log.commit();
  const auto blocks = read_blocks(part);
  BOOST_TEST(blocks.count(1) == 1u);
  BOOST_TEST(blocks.count(5) == 1u);
  // The cut line ends where the new ones begin, and then says what it never meant: so it must not be taken.
  BOOST_TEST(blocks.count(2) == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_full_disk_cut_off_is_written_anew_when_there_is_room) {
  const std::map<std::uint64_t, BlockEntry> all{{9, {9, 6, {}}}, {12, {12, 7, {}}}, {345, {345, 8, {}}}};
  for (std::uint64_t room = 0; room < 30; ++room) {
    const auto part = path("x" + std::to_string(room) + ".part");
    BlockLog log(part, 0);
    log.add(all.at(9));
    log.commit();
    const auto before = std::filesystem::file_size(part + ".blocks.0");
    log.add(all.at(12));
    log.add(all.at(345));
    bool cut = false;
    try {
      const FileEnd end(before + room);
      log.commit();
    } catch (const WriteFailed&) {
      cut = true;
    }
    log.commit();
    BOOST_TEST((read_blocks(part) == all), "cut off after " << room << " bytes");
    BOOST_TEST(cut == (std::filesystem::file_size(part + ".blocks.0") > before + room));
  }
}

BOOST_AUTO_TEST_CASE(other_facts_are_named) {
  const auto part = path("x.part");
  BOOST_TEST(!has_journal(part));
  write_facts(part, {{"seed", "1"}, {"field.x.scale", "2"}});
  BOOST_TEST(has_journal(part));
  require_same_facts(part, {{"seed", "1"}, {"field.x.scale", "2"}});
  BOOST_CHECK_EXCEPTION(require_same_facts(part, {{"seed", "1"}, {"field.x.scale", "3"}}), UsageError, [](auto& error) {
    return std::string(error.what()).find("field.x.scale = 2, now 3") != std::string::npos;
  });
  BOOST_CHECK_THROW(require_same_facts(part, {{"seed", "1"}, {"field.x.scale", "2"}, {"new", "1"}}), UsageError);
  require_same_facts(part, {{"seed", "1"}, {"field.x.scale", "2"}, {"new", ""}});
  require_same_facts(part, {{"seed", "1"}, {"field.x.scale", "2"}, {"@fields", "decides nothing"}});
  BOOST_TEST(read_facts(part).at("field.x.scale") == "2");
  BOOST_TEST(read_facts(path("none.part")).empty());
  BOOST_CHECK_EXCEPTION(require_same_facts(part, {{"seed", "1"}}), UsageError, [](auto& error) {
    return std::string(error.what()).find("field.x.scale = 2, now unset") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(facts_that_are_no_utf8_are_known_again) {
  const auto part = path("x.part");
  write_facts(part, {{"files", "caf\xe9/in.h5"}, {"k\xff", "1"}});
  require_same_facts(part, {{"files", "caf\xe9/in.h5"}, {"k\xff", "1"}});
  BOOST_CHECK_THROW(require_same_facts(part, {{"files", "caf\xe8/in.h5"}, {"k\xff", "1"}}), UsageError);
  BOOST_CHECK_THROW(require_same_facts(part, {{"files", "caf\xe9/in.h5"}, {"k\xff", "2"}}), UsageError);
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_opened_costs_nothing_that_is_written) {
  const auto part = path("x.part");
  std::filesystem::create_directory(part + ".blocks.1");
  BOOST_CHECK_EXCEPTION(BlockLog(part, 1), WriteFailed,
                        [](auto& error) { return std::string(error.what()).find(".blocks.1") != std::string::npos; });
  BlockLog log(part, 0);
  BOOST_CHECK_THROW(ContiguousFile(path("gone.part"), {}, {}, {}, log), WriteFailed);
}

BOOST_AUTO_TEST_CASE(it_moves_and_goes_as_a_whole) {
  const auto part = path("x.part"), old = path("x.part.old");
  write_facts(part, {{"a", "b"}});
  {
    BlockLog log(part, 3);
    log.add({1, 2, {}});
    log.commit();
  }
  move_journal(part, old);
  BOOST_TEST(read_blocks(part).empty());
  BOOST_TEST(read_blocks(old).size() == 1u);
  remove_journal(old);
  BOOST_TEST(std::filesystem::is_empty(folder));
}

BOOST_AUTO_TEST_CASE(with_a_journal_go_the_drafts_of_runs_that_were_killed) {
  const auto part = path("x.part");
  write_facts(part, {{"stream", "train"}});
  std::ofstream(part + ".json.0123456789abcdef.part") << "{";
  std::ofstream(path("y.part.json.0123456789abcdef.part")) << "of another file";
  remove_journal(part);
  BOOST_TEST(!has_journal(part));
  BOOST_TEST(!std::filesystem::exists(part + ".json.0123456789abcdef.part"));
  BOOST_TEST(std::filesystem::exists(path("y.part.json.0123456789abcdef.part")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::formats
