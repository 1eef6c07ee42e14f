// The keys of [inventory] and [fetch]; docs/reference/inventory.md tells their meaning.
#include "config/keys.hpp"

namespace headrace::config {

namespace {

using C = Config&;
using V = const Value&;
constexpr auto top = Scope::top;
constexpr const char* group = "Inventory";

unsigned few(V v, unsigned least) {
  return static_cast<unsigned>(whole(v, least, 1024));
}

void set_headers(C c, V v) {
  for (const auto& text : v.texts) {
    const auto colon = text.find(':');
    if (colon == 0 || colon == std::string::npos || text.find_first_of("\r\n") != std::string::npos)
      throw UsageError("fetch.headers: a header is not 'Name: value' on one line; write it so");  // without its text
  }
  c.fetch.headers = v.texts;
}

void set_checksum(C c, V v) {
  c.fetch.checksum = nonempty(v, "a column of the table, whose name begins with sha256, sha1 or md5");
  for (const auto* kind : {"sha256", "sha1", "md5"})
    if (c.fetch.checksum.starts_with(kind)) return;
  reject(v, "a column whose name says which checksum it is: it begins with sha256, sha1 or md5");
}

}  // namespace

std::vector<Key> inventory_keys() {
  return {
      {"inventory.csv", top, Kind::text, group, 0, "FILE", "", "instead of files: a table, one sample a line",
       +[](C c, V v) { c.inventory.csv = nonempty(v, "the path of a CSV file"); }, true},
      {"inventory.id", top, Kind::text, group, 0, "COLUMN", "id", "the column that names a sample",
       +[](C c, V v) { c.inventory.id = nonempty(v, "the name of a column"); }},
      {"inventory.path", top, Kind::text, group, 0, "PATH", "", "a sample's file: data/{id}.npy, https://host/{id}",
       +[](C c, V v) { c.inventory.path = nonempty(v, "a path with {COLUMN} in it"); }},
      {"inventory.missing", top, Kind::choice, group, 0, "HOW", "error",
       "samples without a file: error, or skip (they are left out)",
       +[](C c, V v) {
         c.inventory.missing = choose(v, {MissingFiles::error, MissingFiles::skip});
       }},
      {"inventory.readers", top, Kind::number, group, 0, "N", "8 or more", "threads of a stager that read files",
       +[](C c, V v) { c.inventory.readers = few(v, 0); }},
      {"inventory.workers", top, Kind::number, group, 0, "N", "one a thread",
       "processes of a stager that run a decoder in Python", +[](C c, V v) { c.inventory.workers = few(v, 0); }},
      {"inventory.python", top, Kind::text, group, 0, "PROGRAM", "python3", "which Python they are",
       +[](C c, V v) { c.inventory.python = nonempty(v, "a program"); }},
      {"inventory.decoder-timeout", top, Kind::time, group, 0, "TIME", "1m",
       "without an answer of a decoder in Python, which is given up then",
       +[](C c, V v) {
         constexpr double least = 1e-3, most = 1e6;
         const auto limit = seconds(v);
         if (limit < least || limit > most) reject(v, "a time from 1ms on");
         c.inventory.decoder_timeout = static_cast<unsigned>(limit * 1000);
       }},
      {"fetch.connections", top, Kind::number, group, 0, "N", "16", "of a stager, to the servers of URLs",
       +[](C c, V v) { c.fetch.connections = few(v, 1); }},
      {"fetch.retries", top, Kind::number, group, 0, "N", "5", "of one file, with growing pauses",
       +[](C c, V v) { c.fetch.retries = few(v, 0); }},
      {"fetch.timeout", top, Kind::time, group, 0, "TIME", "30s", "without anything coming from a server",
       +[](C c, V v) { c.fetch.timeout = seconds(v); }},
      {"fetch.headers", top, Kind::list, group, 0, "HEADER", "", "of each request, as 'Name: value'; never printed",
       +[](C c, V v) { set_headers(c, v); }},
      {"fetch.checksum", top, Kind::text, group, 0, "COLUMN", "",
       "what files must add up to: sha256..., sha1..., md5...", +[](C c, V v) { set_checksum(c, v); }},
  };
}

}  // namespace headrace::config
