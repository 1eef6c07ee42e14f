// Files read through a taker: rows where they belong, failures told of the sample, and let go where the taker says so.
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "inventory/inventory_fixture.hpp"
#include "inventory/scan.hpp"

namespace headrace::inventory {

BOOST_FIXTURE_TEST_SUITE(source, InventoryFixture)

namespace {

/// Takes float64 rows of two values, straight or handed over.
class Taker : public catalog::RowTaker {
 public:
  Taker(std::size_t rows, bool straight, bool lets_go) : values(2 * rows, -1), straight_(straight), lets_go_(lets_go) {}
  std::byte* place(std::size_t, std::uint64_t row, std::uint64_t) override {
    return straight_ ? reinterpret_cast<std::byte*>(values.data() + 2 * row) : nullptr;
  }
  void placed(std::size_t, std::uint64_t, std::uint64_t rows) override {
    const std::lock_guard lock(mutex_);
    came += rows;
  }
  void accept(std::size_t, std::uint64_t row, std::uint64_t rows, const std::byte* raw) override {
    std::memcpy(values.data() + 2 * row, raw, rows * 2 * sizeof(double));
    placed(0, row, rows);
  }
  bool refused(std::uint64_t row, const std::string& why) override {
    const std::lock_guard lock(mutex_);
    gone[row] = why;
    return lets_go_;
  }
  void tell() override {}

  std::vector<double> values;
  std::uint64_t came = 0;
  std::map<std::uint64_t, std::string> gone;

 private:
  bool straight_, lets_go_;
  std::mutex mutex_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(rows_come_where_they_belong) {
  std::string table = "id\n";
  std::vector<double> wanted;
  for (int i = 0; i < 300; ++i) {
    const auto id = std::to_string(i);
    table += id + "\n";
    wanted.insert(wanted.end(), {i * 1.0, i + 0.5});
    // Some of them are written otherwise, and none the wrong way.
    const auto values = bytes_of<double>({i * 1.0, i + 0.5});
    write("d/" + id + ".npy", npy("'<f8'", "(2,)", values, i % 7 == 3 ? 2 : 1));
  }
  Settings settings{.csv = write("t.csv", table), .path = "d/{id}.npy", .decoders = {"npy"}};
  const auto contents = scan_alone(settings);
  BOOST_REQUIRE(contents.size() == 1u);
  BOOST_TEST(contents[0].datasets.size() == 2u);
  const auto* source = source_in(contents);
  for (const bool straight : {true, false}) {
    Taker all(300, straight, false);
    source->read({"@file:npy"}, 0, 300, 2, all);
    BOOST_TEST(all.values == wanted, boost::test_tools::per_element());
    BOOST_TEST(all.came == 300u);
    Taker some(300, straight, false);
    source->read({"@file:npy"}, 140, 20, 1, some);
    BOOST_TEST(some.came == 20u);
    BOOST_TEST(some.values[280] == 140);
    BOOST_TEST(some.values[278] == -1);
    BOOST_TEST(some.values[320] == -1);
  }
}

BOOST_AUTO_TEST_CASE(each_reader_has_some_of_few_rows) {
  std::string table = "id\n";
  for (int i = 0; i < 64; ++i) {
    table += std::to_string(i) + "\n";
    write("d/" + std::to_string(i) + ".npy", npy("'<f8'", "(2,)", bytes_of<double>({1, 2})));
  }
  Settings settings{.csv = write("t.csv", table), .path = "d/{id}.npy", .decoders = {"npy"}};
  const auto contents = scan_alone(settings);
  /// Nobody goes on before all readers have come.
  struct Meeting : Taker {
    Meeting() : Taker(64, true, false) {}
    void placed(std::size_t, std::uint64_t, std::uint64_t) override {
      std::unique_lock lock(mutex);
      who.insert(std::this_thread::get_id());
      changed.notify_all();
      changed.wait_for(lock, std::chrono::seconds(20), [&] { return who.size() >= 8; });
    }
    std::mutex mutex;
    std::condition_variable changed;
    std::set<std::thread::id> who;
  } meeting;
  source_in(contents)->read({"@file:npy"}, 0, 64, 2, meeting);
  BOOST_TEST(meeting.who.size() == 8u);
}

BOOST_AUTO_TEST_CASE(samples_that_fail_are_told_and_may_be_let_go) {
  for (const auto* id : {"a", "b", "c", "d"})
    write(std::string(id) + ".npy", npy("'<f8'", "(2,)", bytes_of<double>({1, 2})));
  Settings settings{.csv = write("t.csv", "id\na\nb\nc\nd\n"), .path = "{id}.npy", .decoders = {"npy"}};
  const auto contents = scan_alone(settings);
  write("b.npy", npy("'<f8'", "(3,)", bytes_of<double>({1, 2, 3})));
  std::filesystem::remove(folder / "c.npy");
  for (const bool straight : {true, false}) {
    Taker taker(4, straight, true);
    source_in(contents)->read({"@file:npy"}, 0, 4, 2, taker);
    BOOST_TEST(taker.came == 2u);
    BOOST_TEST(taker.gone.size() == 2u);
    BOOST_TEST(has(taker.gone[1], "b.npy (it holds float64 (3,), and the first sample's file float64 (2,)"));
    BOOST_TEST(has(taker.gone[1], "line 3 of"));
    BOOST_TEST(has(taker.gone[2], "c.npy (no such file"));
    BOOST_TEST(taker.values[6] == 1);
  }
  Taker strict(4, true, false);
  BOOST_TEST(has(mistake([&] { source_in(contents)->read({"@file:npy"}, 0, 4, 2, strict); }), "cannot read "));
}

BOOST_AUTO_TEST_CASE(missing_files_are_told_together_or_left_out) {
  write("a.npy", npy("'<f8'", "(2,)", bytes_of<double>({1, 2})));
  Settings settings{.csv = write("t.csv", "id,x\nq,9\na,1\nr,8\n"), .path = "{id}.npy", .decoders = {"npy"}};
  const auto text = mistake([&] { scan_alone(settings); });
  BOOST_TEST(has(text, "2 of 3 samples of t.csv have no file"));
  BOOST_TEST(has(text, "q.npy"));
  BOOST_TEST(has(text, "r.npy"));
  settings.skip_missing = true;
  const auto contents = scan_alone(settings);
  const auto& inventory = source_in(contents)->inventory();
  BOOST_TEST(inventory.table.rows() == 1u);
  BOOST_REQUIRE(inventory.left_out.size() == 2u);
  BOOST_TEST(inventory.left_out[1].line == "r,8");
  BOOST_TEST(contents[0].datasets[0].dims[0] == 1u);
  write("t.csv", "id\nq\n");
  BOOST_TEST(has(mistake([&] { scan_alone(settings); }), "1 of 1 samples"));  // none would be left
}

BOOST_AUTO_TEST_CASE(nobodys_code_runs_just_to_look) {
  write("a.bin", "x");
  const Settings settings{.csv = write("t.csv", "id\na\n"), .path = "{id}.bin", .decoders = {"python:os:system"}};
  BOOST_TEST(has(mistake([&] { scan_alone(settings, false); }), "--plugins"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::inventory
