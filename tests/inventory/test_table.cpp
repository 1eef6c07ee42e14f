// What a table's columns are, which sample is which, and where its file is.
#include "inventory/inventory_fixture.hpp"
#include "inventory/table.hpp"

namespace headrace::inventory {

BOOST_FIXTURE_TEST_SUITE(table, InventoryFixture)

namespace {

h5::Kind kind_of(const std::string& values) {
  std::string text = "id,x\n";
  int row = 0;
  for (std::size_t at = 0; at <= values.size();) {
    const auto end = std::min(values.find(' ', at), values.size());
    text += std::to_string(row++) + "," + values.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return Table(text, "t.csv", "id").record().members[1].type.kind;
}

std::string path_of(const std::string& pattern, const std::string& text, std::size_t row = 0,
                    const std::string& file = "/data/t.csv") {
  const Table table(text, file, "id");
  std::string path;
  PathTemplate(pattern, table).make(table, row, path);
  return path;
}

}  // namespace

BOOST_AUTO_TEST_CASE(columns_are_what_all_their_values_are) {
  BOOST_TEST((kind_of("1 -2 0") == h5::Kind::integer));
  BOOST_TEST((kind_of("1 2.5 1e3 nan") == h5::Kind::floating));
  BOOST_TEST((kind_of("1  3") == h5::Kind::floating));  // with a gap
  BOOST_TEST((kind_of("cat 1") == h5::Kind::string));
  BOOST_TEST((kind_of("007 010") == h5::Kind::string));
  BOOST_TEST((kind_of("1 9223372036854775808") == h5::Kind::string));  // no float64 holds it
  BOOST_TEST((kind_of("1 9223372036854775807") == h5::Kind::integer));
  BOOST_TEST((kind_of("+1 2") == h5::Kind::integer));
  BOOST_TEST((kind_of("+1 2.5") == h5::Kind::floating));
  BOOST_TEST((kind_of("\"\t5\" 2") == h5::Kind::integer));
  BOOST_TEST((kind_of("1e400 1e-400") == h5::Kind::floating));  // infinite, and 0
  for (const auto* no : {"+ 1", "++1 2", "+-1 2", "+007 2", "0x10 2", "1_0 2"})
    BOOST_TEST((kind_of(no) == h5::Kind::string), no);
  BOOST_TEST((kind_of("9007199254740993 1") == h5::Kind::integer));
  for (const auto* odd :
       {"9007199254740993  1", "0.5 9007199254740993", "-9007199254740993 1e3", "9223372036854775807 "})
    BOOST_TEST((kind_of(odd) == h5::Kind::string), odd);  // a float64 would round it
  BOOST_TEST((kind_of("9007199254740992  -9007199254740992") == h5::Kind::floating));
}

BOOST_AUTO_TEST_CASE(cells_that_make_a_column_one_of_texts) {
  const Table table("id,x,n,t,e\n1, 5,7,cat,\n2,n/a,+6,,\n3,+7 ,-1,dog,\n", "t.csv", "id");
  BOOST_TEST((table.kind(1) == ColumnKind::text));
  const auto odd = table.odd_cell(1).value();
  BOOST_TEST(odd.row == 1u);
  BOOST_TEST(odd.numbers == 2u);
  BOOST_TEST(odd.filled == 3u);
  BOOST_TEST((table.kind(2) == ColumnKind::integer));
  BOOST_TEST(table.integer(1, 2) == 6);
  BOOST_TEST(table.odd_cell(3).value().numbers == 0u);
  for (const auto column : {0u, 2u, 4u}) BOOST_TEST(!table.odd_cell(column).has_value());
}

BOOST_AUTO_TEST_CASE(ids_are_texts) {
  const Table table("id,x\n1,5\n2,6\n", "t.csv", "id");
  BOOST_TEST((table.record().members[0].type.kind == h5::Kind::string));
  BOOST_TEST(Table("id\n007\n", "t.csv", "id").id(0) == "007");
}

BOOST_AUTO_TEST_CASE(records) {
  const Table table("id,n,x,t\na,-3,0.5,ab\nb,4,,c\n", "t.csv", "id");
  std::vector<std::byte> record(table.record().size);
  table.write_record(1, record.data());
  const auto& members = table.record().members;
  std::int64_t n = 0;
  double x = 0;
  std::memcpy(&n, record.data() + members[1].offset, 8);
  std::memcpy(&x, record.data() + members[2].offset, 8);
  BOOST_TEST(n == 4);
  BOOST_TEST(std::isnan(x));
  BOOST_TEST(members[3].type.size == 2u);
  BOOST_TEST((record[members[3].offset] == std::byte{'c'} && record[members[3].offset + 1] == std::byte{0}));
}

BOOST_AUTO_TEST_CASE(wrong_tables) {
  const auto says = [&](const std::string& text) { return mistake([&] { Table(text, "t.csv", "id"); }); };
  BOOST_TEST(has(says("id\na\nb\n\na\n"), "t.csv: id 'a' stands in lines 2 and 5"));
  BOOST_TEST(
      (has(says("name,x\na,1\n"), "t.csv has no column 'id'") && has(says("name,x\na,1\n"), "name, x")));
  BOOST_TEST(has(says("id;x\na;1\n"), "not parted by commas"));
  BOOST_TEST(has(says("id,x\n"), "t.csv has no samples"));
}

BOOST_AUTO_TEST_CASE(rows_that_go) {
  Table table("id,x\na,1\nb,text\nc,3\n", "t.csv", "id");
  BOOST_TEST((table.record().members[1].type.kind == h5::Kind::string));
  table.drop({1});
  BOOST_TEST(table.rows() == 2u);
  BOOST_TEST(table.id(1) == "c");
  BOOST_TEST(table.line_of(1) == 4u);
  BOOST_TEST((table.record().members[1].type.kind == h5::Kind::integer));
  BOOST_TEST(table.line(0, "why") == "a,1");
}

BOOST_AUTO_TEST_CASE(paths) {
  BOOST_TEST(path_of("im/{id}_{n}.npy", "id,n\na,3\n") == "/data/im/a_3.npy");
  BOOST_TEST(path_of("/x/{id}", "id\na\n") == "/x/a");
  BOOST_TEST(path_of("{id}", "id\n/abs/a\nb\n", 0) == "/abs/a");
  BOOST_TEST(path_of("{id}", "id\na\n", 0, "t.csv") == "a");
  BOOST_TEST(path_of("http://h/{id}.npy", "id\na b/\xc3\xa4\n") == "http://h/a%20b/%C3%A4.npy");
  BOOST_TEST(path_of("{id}", "id\nhttps://h/a?x=%20\n") == "https://h/a?x=%20");
  // Behind a host, cells are names: a # would cut two of them down to the same URL.
  BOOST_TEST(path_of("http://h/{id}", "id\nb/a#1?c%41&d+e\n") == "http://h/b/a%231%3Fc%2541&d+e");
  BOOST_TEST(path_of("http://{id}/x", "id\nh/a?b=c%20\n") == "http://h/a?b=c%20/x");
  BOOST_TEST(path_of("http://h/{id}/get?n={n}&x={id}", "id,n\nf&g,h+i\n") == "http://h/f&g/get?n=h%2Bi&x=f%26g");
  BOOST_TEST(path_of("http://{h}/{id}", "id,h\na#1,x\n") == "http://x/a%231");
  BOOST_TEST(path_of("{base}/{id}", "id,base\na#1,http://x\n") == "http://x/a%231");
  BOOST_TEST(path_of("file:///data/{id}", "id\nsub/a\n") == "/data/sub/a");
  BOOST_TEST(has(mistake([] { path_of("file:///data/{id}", "id\n../a\n"); }), "leads out of the table's folder"));
  BOOST_TEST(has(mistake([] { path_of("file:///etc/{id}", "id\na\n"); }), "leads out of the table's folder"));
  BOOST_TEST(has(mistake([] { path_of("{id}", "id\nhttp://h/a\nb\n", 1); }), "some paths are URLs"));
  BOOST_TEST(has(mistake([] { path_of("{nme}", "id,name\na,b\n"); }), "no column 'nme'; did you mean 'name'?"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::inventory
