"""Sources and headers include what they name of the standard library, fmt and JSON, or a header of ours that they include does:
what another library's header, a precompiled one or the source in front brings along is chance."""

import functools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Where each name stands: after a header the names it declares, of namespace std. Where several headers declare one, any will
# do. Names that end in `::` are namespaces.
NAMES_OF = {
    "algorithm": "adjacent_find all_of any_of binary_search clamp copy copy_if copy_n count count_if equal fill fill_n find find_if "
                 "find_if_not for_each inplace_merge is_sorted lower_bound max max_element min min_element minmax minmax_element "
                 "mismatch none_of nth_element partition_point remove remove_if replace reverse rotate set_union sort stable_sort "
                 "transform unique upper_bound lexicographical_compare partial_sort push_heap pop_heap make_heap search",
    "array": "array",
    "atomic": "atomic atomic_ref atomic_thread_fence memory_order_relaxed memory_order_acquire memory_order_release "
              "memory_order_acq_rel memory_order_seq_cst",
    "bit": "bit_cast bit_ceil bit_floor bit_width countl_zero countr_zero endian has_single_bit popcount rotl rotr",
    "cctype": "isalnum isalpha isdigit isspace isxdigit tolower toupper isprint ispunct",
    "charconv": "chars_format from_chars from_chars_result to_chars to_chars_result",
    "chrono": "chrono:: chrono_literals",
    "cmath": "abs ceil copysign exp fabs floor fmod isfinite isinf isnan ldexp lgamma llround log log2 lround nextafter pow round "
             "signbit sqrt trunc frexp hypot",
    "concepts": "integral floating_point same_as convertible_to invocable unsigned_integral signed_integral",
    "condition_variable": "condition_variable condition_variable_any cv_status",
    "cstddef": "byte max_align_t nullptr_t ptrdiff_t size_t to_integer",
    "cstdint": "int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t uintptr_t intptr_t",
    "cstdio": "FILE fclose ferror fflush fopen fprintf fputs fread fwrite remove rename rewind snprintf tmpfile fgets",
    "cstdlib": "_Exit abort abs aligned_alloc atexit atof atoi atol exit free getenv malloc quick_exit strtod strtol system",
    "cstring": "memcmp memcpy memmove memset memchr strerror strlen strstr strchr strcmp strncmp size_t",
    "ctime": "gmtime localtime strftime time time_t tm size_t",
    "deque": "deque erase erase_if",
    "exception": "current_exception exception exception_ptr make_exception_ptr rethrow_exception terminate uncaught_exceptions",
    "filesystem": "filesystem::",
    "fstream": "fstream ifstream ofstream",
    "functional": "bit_or function greater greater_equal hash invoke less minus plus ref cref multiplies not_fn equal_to",
    "future": "async future launch promise shared_future packaged_task",
    "initializer_list": "initializer_list",
    "ios": "dec hex fixed ios_base scientific streamsize",
    "iosfwd": "istream ostream",
    "iomanip": "setprecision setw setfill",
    "iostream": "cerr cin clog cout endl flush istream ostream ws",
    "istream": "istream ws iostream",
    "iterator": "back_inserter distance end begin inserter make_move_iterator next prev istream_iterator size data advance reverse_iterator",
    "limits": "numeric_limits",
    "list": "list",
    "map": "map multimap erase_if",
    "memory": "addressof construct_at destroy_at enable_shared_from_this make_shared make_unique make_unique_for_overwrite shared_ptr "
              "static_pointer_cast unique_ptr weak_ptr align uninitialized_copy",
    "mutex": "call_once lock_guard mutex once_flag recursive_mutex scoped_lock timed_mutex unique_lock try_to_lock defer_lock",
    "new": "bad_alloc launder nothrow align_val_t",
    "numeric": "accumulate exclusive_scan gcd iota inclusive_scan inner_product lcm midpoint partial_sum reduce",
    "optional": "in_place nullopt nullopt_t optional make_optional",
    "ostream": "endl flush ostream",
    "queue": "priority_queue queue",
    "random": "mt19937 mt19937_64 minstd_rand random_device uniform_int_distribution uniform_real_distribution normal_distribution",
    "ranges": "views::",
    "semaphore": "binary_semaphore counting_semaphore",
    "set": "multiset set erase_if",
    "shared_mutex": "shared_lock shared_mutex",
    "span": "as_bytes as_writable_bytes dynamic_extent span",
    "sstream": "istringstream ostringstream stringstream istream ostream",
    "stdexcept": "domain_error invalid_argument length_error logic_error out_of_range overflow_error range_error runtime_error",
    "stop_token": "stop_callback stop_source stop_token",
    "string": "getline stod stof stoi stol stoll stoul stoull string to_string u8string wstring char_traits erase erase_if hash",
    "string_view": "string_view hash",
    "system_error": "errc error_code generic_category make_error_code system_category system_error",
    "thread": "jthread thread this_thread:: stop_token",
    "tuple": "apply forward_as_tuple get make_tuple tie tuple tuple_size_v",
    "type_traits": "conditional_t decay_t enable_if_t false_type invoke_result_t is_arithmetic_v is_base_of_v is_constructible_v "
                   "is_convertible_v is_enum_v is_floating_point_v is_integral_v is_invocable_v is_pointer_v is_same_v is_signed_v "
                   "is_trivially_copyable_v is_unsigned_v is_void_v make_signed_t make_unsigned_t remove_cv_t remove_cvref_t "
                   "remove_reference_t true_type underlying_type_t is_standard_layout_v type_identity_t is_nothrow_move_constructible_v",
    "unordered_map": "unordered_map erase_if",
    "unordered_set": "unordered_set erase_if",
    "utility": "as_const cmp_equal cmp_greater cmp_greater_equal cmp_less cmp_less_equal cmp_not_equal declval exchange forward get "
               "in_range move pair make_pair swap index_sequence make_index_sequence integer_sequence to_underlying unreachable "
               "in_place",
    "variant": "get get_if holds_alternative in_place_index in_place_type monostate variant variant_alternative_t variant_size_v "
               "visit",
    "vector": "erase erase_if vector",
}
# What a header promises to bring along, or is known to: containers bring iterators' begin() and size_t, strings their views.
BRINGS = {"algorithm": "utility iterator", "array": "cstddef utility iterator", "atomic": "cstddef", "charconv": "system_error cstddef", "chrono": "ctime",
          "cstdlib": "cstddef", "cstdio": "cstddef", "cstring": "cstddef", "ctime": "cstddef", "deque": "initializer_list cstddef utility iterator",
          "filesystem": "string system_error chrono cstdint", "fstream": "istream ostream string", "functional": "utility cstddef",
          "future": "thread system_error chrono exception memory", "iostream": "istream ostream string", "istream": "ios ostream string", "iterator": "cstddef", "map": "initializer_list utility cstddef iterator",
          "memory": "cstddef utility", "mutex": "chrono system_error", "new": "exception cstddef", "numeric": "cstddef", "ostream": "ios string",
          "optional": "utility exception", "queue": "deque vector functional", "random": "cstdint limits", "set": "initializer_list utility cstddef iterator",
          "span": "array cstddef iterator", "sstream": "string istream ostream", "stdexcept": "string exception", "string": "string_view initializer_list cstddef utility iterator",
          "string_view": "initializer_list cstddef utility iterator", "system_error": "string stdexcept", "thread": "chrono stop_token", "tuple": "utility", "unordered_map": "utility cstddef iterator",
          "unordered_set": "utility cstddef iterator", "variant": "utility exception cstddef", "vector": "initializer_list cstddef utility iterator",
          "condition_variable": "mutex chrono", "shared_mutex": "mutex chrono",
          "stdint.h": "cstdint", "stddef.h": "cstddef", "string.h": "cstring", "stdlib.h": "cstdlib", "stdio.h": "cstdio",
          "nlohmann/json.hpp": "string vector map cstdint memory nlohmann/json_fwd.hpp", "nlohmann/json_fwd.hpp": "string vector map cstdint memory"}
OTHERS = {r"\bfmt::": r"fmt/", r"\bnlohmann::": r"nlohmann/json"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(<([^>]+)>|"([^"]+)")', re.M)
NAME = re.compile(r"\bstd::(?:ranges::)?(\w+)")


def code_of(text):
    """The text without includes, comments and what stands in quotes; these go last, and may hold what looks like the others."""
    token = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.S)
    return token.sub('""', INCLUDE.sub("", text))


def headers_of(text):
    return [outer or inner for _, outer, inner in INCLUDE.findall(text)]


class Tree:
    """Texts by their names under src; `includes` finds what a text brings with it."""

    def __init__(self, texts):
        self.texts = texts
        self.brought = functools.cache(self.brought)

    def brought(self, name):
        """Others' headers that a file includes, itself or by ours."""
        found = set()
        self.collect(name, found, set())
        return frozenset(found)

    def collect(self, name, found, seen):
        if name in seen:
            return
        seen.add(name)
        for header in headers_of(self.texts[name]):
            if header in self.texts:
                self.collect(header, found, seen)
            else:
                self.add(header, found)

    def add(self, header, found):
        if header in found:
            return
        found.add(header)
        for more in BRINGS.get(header, "").split():
            self.add(more, found)

    def lacking(self, name):
        """`NAME uses WHAT` for each name whose header is nowhere."""
        code, there = code_of(self.texts[name]), self.brought(name)
        for word in sorted({word + "::" * (word + "::" in SPACES) for word in NAME.findall(code)}):
            where = HEADERS_OF.get(word)
            if where is None:
                yield f"{name} uses std::{word}, which {Path(__file__).name} does not know: say in NAMES_OF where it stands"
            elif not where & there:
                yield f"{name} uses std::{word} without <{'> or <'.join(sorted(where))}>"
        for use, header in OTHERS.items():
            if re.search(use, code) and not any(re.match(header, one) for one in there):
                yield f"{name} uses {use[2:]} without a header of its"


HEADERS_OF = {}
for header, names in NAMES_OF.items():
    for word in names.split():
        HEADERS_OF.setdefault(word, set()).add(header)
SPACES = {word for word in HEADERS_OF if word.endswith("::")}


def tree():
    texts = {str(path.relative_to(ROOT / "src")): path.read_text() for path in (ROOT / "src").rglob("*.[ch]pp")}
    texts |= {str(path.relative_to(ROOT / "include")): path.read_text() for path in (ROOT / "include").rglob("*.h")}
    return Tree(texts)


def test_files_include_what_they_name():
    all_files = tree()
    assert len(all_files.texts) > 400
    wrong = [line for name in sorted(all_files.texts) for line in all_files.lacking(name)]
    assert not wrong, "\n".join(wrong)


def test_what_is_forgotten_is_found():
    texts = {"a.hpp": "#include <vector>\n", "b.cpp": '#include "a.hpp"\nstd::vector<int> v; std::size_t n; // std::map\n',
             "c.cpp": '#include "a.hpp"\nstd::map<int, int> m; auto t = "std::set"; auto u = fmt::format("x");\n',
             "d.cpp": "std::chrono::seconds s; std::ranges::sort(x); std::nonsense y; #include <algorithm>\n"}
    found = Tree(texts)
    assert list(found.lacking("b.cpp")) == []
    assert [line.split(" ", 2)[2] for line in found.lacking("c.cpp")] == ["std::map without <map>", "fmt:: without a header of its"]
    assert [line.split(" ")[2] for line in found.lacking("d.cpp")] == ["std::chrono::", "std::nonsense,", "std::sort"]
