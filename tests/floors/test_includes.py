"""Sources and headers include what they name as `std::`, `fmt::` or `nlohmann::`, or a header of ours that they include does:
what another library's header, a precompiled one or the source in front brings along is chance."""

import functools
import re
from pathlib import Path

from source_text import code_of

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().relative_to(ROOT)

# After a header the names of namespace std that it declares, or of std::ranges; a trait's NAME stands for NAME_t and NAME_v,
# too. Where several declare one, any will do. Names that end in `::` are namespaces.
OF_RANGES = "begin cbegin cend crbegin crend data empty end rbegin rend size ssize"
NAMES_OF = {
    "algorithm": """adjacent_find all_of any_of binary_search clamp copy copy_backward copy_if copy_n count count_if equal
        equal_range fill fill_n find find_end find_first_of find_if find_if_not for_each for_each_n generate generate_n
        includes inplace_merge is_heap is_heap_until is_partitioned is_permutation is_sorted is_sorted_until iter_swap
        lexicographical_compare lexicographical_compare_three_way lower_bound make_heap max max_element merge min
        min_element minmax minmax_element mismatch move_backward next_permutation none_of nth_element partial_sort
        partial_sort_copy partition partition_copy partition_point pop_heap prev_permutation push_heap remove remove_copy
        remove_copy_if remove_if replace replace_copy replace_copy_if replace_if reverse reverse_copy rotate rotate_copy
        sample search search_n set_difference set_intersection set_symmetric_difference set_union shift_left shift_right
        shuffle sort sort_heap stable_partition stable_sort swap_ranges transform unique unique_copy upper_bound""",
    "any": "any any_cast bad_any_cast make_any",
    "array": "array get to_array tuple_element tuple_size",
    "atomic": """atomic atomic_bool atomic_flag atomic_int atomic_int64_t atomic_long atomic_ref atomic_signal_fence
        atomic_size_t atomic_thread_fence atomic_uint atomic_uint32_t atomic_uint64_t memory_order memory_order_acq_rel
        memory_order_acquire memory_order_consume memory_order_relaxed memory_order_release memory_order_seq_cst""",
    "barrier": "barrier",
    "bit": """bit_cast bit_ceil bit_floor bit_width countl_one countl_zero countr_one countr_zero endian has_single_bit
        popcount rotl rotr""",
    "bitset": "bitset hash",
    "cassert": "",
    "cctype": """isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit tolower
        toupper""",
    "cerrno": "",
    "cfenv": "feclearexcept fegetenv fegetround feholdexcept fenv_t feraiseexcept fesetenv fesetround fetestexcept feupdateenv",
    "cfloat": "",
    "charconv": "chars_format from_chars from_chars_result to_chars to_chars_result",
    "chrono": "chrono:: chrono_literals literals",
    "cinttypes": "imaxabs imaxdiv strtoimax strtoumax",
    "climits": "",
    "cmath": """abs acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh double_t erf erfc exp exp2 expm1
        fabs fdim float_t floor fma fmax fmin fmod fpclassify frexp hypot ilogb isfinite isgreater isgreaterequal isinf
        isless islessequal islessgreater isnan isnormal isunordered ldexp lerp lgamma llrint llround log log10 log1p log2
        logb lrint lround modf nan nanf nanl nearbyint nextafter nexttoward pow remainder remquo rint round scalbln scalbn
        signbit sin sinh sqrt tan tanh tgamma trunc""",
    "compare": """common_comparison_category compare_partial_order_fallback compare_strong_order_fallback compare_three_way
        compare_three_way_result compare_weak_order_fallback is_eq is_gt is_gteq is_lt is_lteq is_neq partial_order
        partial_ordering strong_order strong_ordering three_way_comparable three_way_comparable_with weak_order
        weak_ordering""",
    "complex": "arg complex complex_literals conj imag literals norm polar proj real",
    "concepts": """assignable_from common_reference_with common_with constructible_from convertible_to copy_constructible
        copyable default_initializable derived_from destructible equality_comparable equality_comparable_with
        equivalence_relation floating_point integral invocable movable move_constructible predicate regular
        regular_invocable relation same_as semiregular signed_integral strict_weak_order swappable swappable_with
        totally_ordered totally_ordered_with unsigned_integral""",
    "condition_variable": "condition_variable condition_variable_any cv_status notify_all_at_thread_exit",
    "coroutine": "coroutine_handle coroutine_traits noop_coroutine suspend_always suspend_never",
    "csignal": "raise sig_atomic_t signal",
    "cstdarg": "va_list",
    "cstddef": "byte max_align_t nullptr_t ptrdiff_t size_t to_integer",
    "cstdint": """int16_t int32_t int64_t int8_t int_fast16_t int_fast32_t int_fast64_t int_fast8_t int_least16_t
        int_least32_t int_least64_t int_least8_t intmax_t intptr_t uint16_t uint32_t uint64_t uint8_t uint_fast16_t
        uint_fast32_t uint_fast64_t uint_fast8_t uint_least16_t uint_least32_t uint_least64_t uint_least8_t uintmax_t
        uintptr_t""",
    "cstdio": """clearerr fclose feof ferror fflush fgetc fgetpos fgets FILE fopen fpos_t fprintf fputc fputs fread freopen
        fscanf fseek fsetpos ftell fwrite getc getchar perror printf putc putchar puts remove rename rewind scanf setbuf
        setvbuf snprintf sprintf sscanf tmpfile ungetc vfprintf vprintf vsnprintf vsprintf vsscanf""",
    "cstdlib": """_Exit abort abs aligned_alloc at_quick_exit atexit atof atoi atol atoll bsearch calloc div exit free
        getenv labs llabs malloc qsort quick_exit rand realloc srand strtod strtof strtol strtold strtoll strtoul strtoull
        system""",
    "cstring": """memchr memcmp memcpy memmove memset strcat strchr strcmp strcoll strcpy strcspn strerror strlen strncat
        strncmp strncpy strpbrk strrchr strspn strstr strtok strxfrm""",
    "ctime": "asctime clock clock_t ctime difftime gmtime localtime mktime strftime time time_t timespec timespec_get tm",
    "deque": "deque erase erase_if",
    "exception": """bad_exception current_exception exception exception_ptr get_terminate make_exception_ptr
        nested_exception rethrow_exception rethrow_if_nested set_terminate terminate terminate_handler throw_with_nested
        uncaught_exceptions""",
    "execution": "execution::",
    "filesystem": "filesystem::",
    "forward_list": "erase erase_if forward_list",
    "fstream": "basic_filebuf basic_fstream basic_ifstream basic_ofstream filebuf fstream ifstream ofstream",
    "functional": """bad_function_call bind bind_front bit_and bit_not bit_or bit_xor boyer_moore_horspool_searcher
        boyer_moore_searcher cref default_searcher divides equal_to function greater greater_equal hash identity invoke
        less less_equal logical_and logical_not logical_or mem_fn minus modulus multiplies negate not_equal_to not_fn
        placeholders:: plus ref reference_wrapper""",
    "future": "async future future_category future_errc future_error future_status launch packaged_task promise shared_future",
    "initializer_list": "initializer_list",
    "iomanip": "get_time put_time quoted resetiosflags setbase setfill setiosflags setprecision setw",
    "ios": """basic_ios boolalpha dec defaultfloat fixed fpos hex hexfloat internal io_errc ios ios_base left noboolalpha
        noshowbase noshowpoint noshowpos noskipws nounitbuf nouppercase oct right scientific showbase showpoint showpos
        skipws streamoff streampos streamsize unitbuf uppercase""",
    "iosfwd": "istream ostream streampos",
    "iostream": "cerr cin clog cout",
    "istream": "basic_iostream basic_istream iostream istream ws",
    "iterator": """advance back_insert_iterator back_inserter bidirectional_iterator bidirectional_iterator_tag
        common_iterator contiguous_iterator contiguous_iterator_tag counted_iterator default_sentinel
        default_sentinel_t distance forward_iterator forward_iterator_tag front_insert_iterator front_inserter
        incrementable indirect_result_t indirectly_copyable indirectly_readable indirectly_writable
        input_iterator input_iterator_tag input_or_output_iterator insert_iterator inserter istream_iterator
        istreambuf_iterator iter_difference_t iter_move iter_reference_t iter_swap iter_value_t iterator_traits
        make_move_iterator make_reverse_iterator move_iterator move_sentinel next ostream_iterator
        ostreambuf_iterator output_iterator output_iterator_tag permutable prev projected
        random_access_iterator random_access_iterator_tag reverse_iterator sentinel_for sized_sentinel_for
        sortable unreachable_sentinel weakly_incrementable """ + OF_RANGES,
    "latch": "latch",
    "limits": "float_denorm_style float_round_style numeric_limits",
    "list": "erase erase_if list",
    "locale": "ctype has_facet locale numpunct use_facet",
    "map": "erase_if map multimap",
    "memory": """addressof align allocate_shared allocator allocator_arg allocator_arg_t allocator_traits assume_aligned
        bad_weak_ptr const_pointer_cast construct_at default_delete destroy destroy_at destroy_n dynamic_pointer_cast
        enable_shared_from_this get_deleter hash make_shared make_shared_for_overwrite make_unique
        make_unique_for_overwrite owner_less pointer_traits reinterpret_pointer_cast shared_ptr static_pointer_cast
        to_address uninitialized_copy uninitialized_copy_n uninitialized_default_construct
        uninitialized_default_construct_n uninitialized_fill uninitialized_fill_n uninitialized_move uninitialized_move_n
        uninitialized_value_construct uninitialized_value_construct_n unique_ptr uses_allocator weak_ptr""",
    "memory_resource": "pmr::",
    "mutex": """adopt_lock adopt_lock_t call_once defer_lock defer_lock_t lock lock_guard mutex once_flag recursive_mutex
        recursive_timed_mutex scoped_lock timed_mutex try_lock try_to_lock try_to_lock_t unique_lock""",
    "new": """align_val_t bad_alloc bad_array_new_length get_new_handler hardware_constructive_interference_size
        hardware_destructive_interference_size launder new_handler nothrow nothrow_t set_new_handler""",
    "numbers": "numbers::",
    "numeric": """accumulate adjacent_difference exclusive_scan gcd inclusive_scan inner_product iota lcm midpoint
        partial_sum reduce transform_exclusive_scan transform_inclusive_scan transform_reduce""",
    "optional": "bad_optional_access hash make_optional nullopt nullopt_t optional",
    "ostream": "basic_ostream endl ends flush ostream",
    "queue": "priority_queue queue",
    "random": """bernoulli_distribution binomial_distribution cauchy_distribution chi_squared_distribution
        default_random_engine discard_block_engine discrete_distribution exponential_distribution
        extreme_value_distribution fisher_f_distribution gamma_distribution generate_canonical geometric_distribution
        independent_bits_engine knuth_b linear_congruential_engine lognormal_distribution mersenne_twister_engine
        minstd_rand minstd_rand0 mt19937 mt19937_64 negative_binomial_distribution normal_distribution
        piecewise_constant_distribution piecewise_linear_distribution poisson_distribution random_device ranlux24 ranlux48
        seed_seq shuffle_order_engine student_t_distribution subtract_with_carry_engine uniform_int_distribution
        uniform_random_bit_generator uniform_real_distribution weibull_distribution""",
    "ranges": """bidirectional_range borrowed_range common_range contiguous_range dangling
        enable_borrowed_range enable_view forward_range input_range iterator_t output_range owning_view
        random_access_range range range_difference_t range_reference_t range_size_t range_value_t ref_view
        sentinel_t sized_range subrange view view_interface viewable_range views:: """ + OF_RANGES,
    "ratio": """atto centi deca deci exa femto giga hecto kilo mega micro milli nano peta pico ratio ratio_divide
        ratio_multiply tera""",
    "regex": """basic_regex cmatch regex regex_constants:: regex_error regex_match regex_replace regex_search smatch
        sregex_iterator sregex_token_iterator ssub_match""",
    "semaphore": "binary_semaphore counting_semaphore",
    "set": "erase_if multiset set",
    "shared_mutex": "shared_lock shared_mutex shared_timed_mutex",
    "source_location": "source_location",
    "span": "as_bytes as_writable_bytes dynamic_extent span",
    "sstream": """basic_istringstream basic_ostringstream basic_stringbuf basic_stringstream istringstream ostringstream
        stringbuf stringstream""",
    "stack": "stack",
    "stdexcept": """domain_error invalid_argument length_error logic_error out_of_range overflow_error range_error
        runtime_error underflow_error""",
    "stop_token": "nostopstate nostopstate_t stop_callback stop_source stop_token",
    "streambuf": "basic_streambuf streambuf",
    "string": """basic_string char_traits erase erase_if getline hash literals stod stof stoi stol stold stoll stoul stoull
        string string_literals to_string to_wstring u16string u32string u8string wstring""",
    "string_view": """basic_string_view hash literals string_view string_view_literals u16string_view u32string_view
        u8string_view wstring_view""",
    "system_error": """errc error_category error_code error_condition generic_category hash is_error_code_enum
        is_error_condition_enum make_error_code make_error_condition system_category system_error""",
    "thread": "hash jthread this_thread:: thread",
    "tuple": "apply forward_as_tuple get ignore make_from_tuple make_tuple tie tuple tuple_cat tuple_element tuple_size",
    "type_traits": """add_const add_cv add_lvalue_reference add_pointer add_rvalue_reference add_volatile aligned_storage
        alignment_of basic_common_reference bool_constant common_reference common_type conditional conjunction decay
        disjunction enable_if extent false_type has_unique_object_representations has_virtual_destructor integral_constant
        invoke_result is_abstract is_aggregate is_arithmetic is_array is_assignable is_base_of is_bounded_array is_class
        is_compound is_const is_constant_evaluated is_constructible is_convertible is_copy_assignable is_copy_constructible
        is_default_constructible is_destructible is_empty is_enum is_final is_floating_point is_function is_fundamental
        is_integral is_invocable is_invocable_r is_lvalue_reference is_member_function_pointer is_member_object_pointer
        is_member_pointer is_move_assignable is_move_constructible is_nothrow_assignable is_nothrow_constructible
        is_nothrow_convertible is_nothrow_copy_assignable is_nothrow_copy_constructible is_nothrow_default_constructible
        is_nothrow_destructible is_nothrow_invocable is_nothrow_invocable_r is_nothrow_move_assignable
        is_nothrow_move_constructible is_nothrow_swappable is_null_pointer is_object is_pointer is_polymorphic is_reference
        is_rvalue_reference is_same is_scalar is_signed is_standard_layout is_swappable is_trivial is_trivially_assignable
        is_trivially_constructible is_trivially_copy_assignable is_trivially_copy_constructible is_trivially_copyable
        is_trivially_default_constructible is_trivially_destructible is_trivially_move_assignable
        is_trivially_move_constructible is_unbounded_array is_union is_unsigned is_void is_volatile make_signed
        make_unsigned negation rank remove_all_extents remove_const remove_cv remove_cvref remove_extent remove_pointer
        remove_reference remove_volatile true_type type_identity underlying_type unwrap_ref_decay unwrap_reference void_t""",
    "typeindex": "hash type_index",
    "typeinfo": "bad_cast bad_typeid type_info",
    "unordered_map": "erase_if unordered_map unordered_multimap",
    "unordered_set": "erase_if unordered_multiset unordered_set",
    "utility": """as_const cmp_equal cmp_greater cmp_greater_equal cmp_less cmp_less_equal cmp_not_equal declval exchange
        forward get in_place in_place_index in_place_index_t in_place_t in_place_type in_place_type_t in_range
        index_sequence index_sequence_for integer_sequence make_index_sequence make_integer_sequence make_pair move
        move_if_noexcept pair piecewise_construct piecewise_construct_t swap to_underlying tuple_element tuple_size
        unreachable""",
    "valarray": "slice valarray",
    "variant": """bad_variant_access get get_if hash holds_alternative monostate variant variant_alternative variant_npos
        variant_size visit""",
    "vector": "erase erase_if hash vector",
    "version": "",
}
# What the standard, or the library, promises that a header brings along, or what is known to come with it: headers, and single
# names as `std::size_t`.
SIZES = "std::byte std::nullptr_t std::ptrdiff_t std::size_t "
MOVES = "std::forward std::make_pair std::move std::pair std::swap "
CONTAINERS = "array deque forward_list list map set string string_view unordered_map unordered_set vector"
WITH_CONTAINERS = "compare initializer_list " + SIZES + MOVES + " ".join(f"std::{name}" for name in OF_RANGES.split())
BRINGS = dict.fromkeys(CONTAINERS.split(), WITH_CONTAINERS) | {
    "algorithm": "initializer_list std::advance std::back_inserter std::begin std::distance std::end std::inserter "
                 "std::make_move_iterator std::next std::prev " + MOVES,
    "atomic": SIZES,
    "bitset": "iosfwd string",
    "charconv": "std::errc std::size_t",
    "chrono": "compare ctime ratio",
    "cinttypes": "cstdint",
    "condition_variable": "chrono std::mutex std::unique_lock",
    "cstdio": "std::size_t",
    "cstdlib": "std::size_t",
    "cstring": "std::size_t",
    "ctime": "std::size_t",
    "filesystem": "chrono compare cstdint string system_error",
    "fstream": "istream ostream string",
    "functional": SIZES + MOVES,
    "future": "chrono exception memory system_error",
    "ios": "iosfwd",
    "iostream": "ios istream ostream streambuf string",
    "istream": "ios ostream string",
    "iterator": "compare concepts " + SIZES,
    "memory": "compare " + SIZES + MOVES,
    "mutex": "chrono system_error",
    "new": "std::exception std::size_t",
    "numeric": SIZES,
    "optional": "compare std::exception std::forward std::in_place std::move std::swap",
    "ostream": "ios string",
    "queue": "compare deque initializer_list std::less vector",
    "random": "cstdint initializer_list limits",
    "ranges": "compare initializer_list iterator",
    "regex": "compare initializer_list string",
    "shared_mutex": "chrono",
    "span": "array",
    "sstream": "istream ostream string",
    "stack": "compare deque initializer_list",
    "stdexcept": "exception string",
    "system_error": "compare stdexcept string",
    "thread": "chrono compare stop_token",
    "tuple": "compare " + MOVES,
    "typeindex": "compare",
    "utility": "compare initializer_list std::size_t",
    "valarray": "initializer_list",
    "variant": "compare std::exception std::forward std::in_place std::move std::size_t std::swap",
    "nlohmann/json.hpp": "nlohmann/json_fwd.hpp utility",
    "nlohmann/json_fwd.hpp": "cstdint map memory string vector",
}
BRINGS["string"] += " string_view"
# Libraries by their namespace: how names of their headers begin, and what to include.
OTHERS = {
    "fmt": ("fmt/", "<fmt/format.h>"),
    "nlohmann": ("nlohmann/json", "<nlohmann/json.hpp> or <nlohmann/json_fwd.hpp>"),
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.M)
NAME = re.compile(rf"\b(?:std::(?:ranges::)?(\w+)|({'|'.join(OTHERS)})::)")

HEADERS_OF = {}
for header, names in NAMES_OF.items():
    for word in names.split():
        HEADERS_OF.setdefault(word, set()).add(header)


def headers_of(word):
    """Where this name of std stands, if that is known; a namespace may be named without what it holds."""
    for one in (word, word + "::", re.sub("_[tv]$", "", word)):
        if one in HEADERS_OF:
            return HEADERS_OF[one]
    return None


class Tree:
    """Texts by the names they are included by; `lacking` finds what one of them forgot."""

    def __init__(self, texts):
        self.codes = {name: code_of(text) for name, text in texts.items()}
        self.included = {name: INCLUDE.findall(code) for name, code in self.codes.items()}
        self.brought = functools.cache(self.brought)

    def brought(self, name):
        """Others' headers that a file includes, itself or by ours."""
        found = set()
        self.collect(name, found, set())
        return found

    def collect(self, name, found, seen):
        if name in seen:
            return
        seen.add(name)
        for header in self.included[name]:
            if header in self.included:
                self.collect(header, found, seen)
            else:
                add(header, found)

    def lacking(self, name):
        """For each name whose header is nowhere: where it is used first, and what is missing."""
        code, there, seen = self.codes[name], self.brought(name), set()
        for use in NAME.finditer(code):
            word, library = use.groups()
            if (word, library) in seen:
                continue
            seen.add((word, library))
            line = code.count("\n", 0, use.start()) + 1
            at = f"{path_of(name)}:{line}"
            if library:
                begins, what = OTHERS[library]
                if not any(one.startswith(begins) for one in there):
                    yield f"{at} uses {library}:: without {what}"
            elif not (where := headers_of(word)):
                yield f"{at} uses std::{word}, which is unknown: add it to NAMES_OF of {HERE}, after its header"
            elif not where & there and f"std::{word}" not in there:
                yield f"{at} uses std::{word} without <{'> or <'.join(sorted(where))}>"


def add(header, found):
    if header not in found:
        found.add(header)
        for more in BRINGS.get(header, "").split():
            add(more, found)


def path_of(name):
    return ("include/" if name.startswith("headrace/") else "src/") + name


def tree():
    texts = {str(path.relative_to(ROOT / "src")): path.read_text() for path in (ROOT / "src").rglob("*.[ch]pp")}
    texts |= {str(path.relative_to(ROOT / "include")): path.read_text() for path in (ROOT / "include").rglob("*.h")}
    return Tree(texts)


def test_files_include_what_they_name():
    all_files = tree()
    assert len(all_files.codes) > 400
    wrong = [line for name in sorted(all_files.codes) for line in all_files.lacking(name)]
    assert not wrong, "\n".join(wrong)


def lacking(text, **headers):
    """What is missing in this text, as x.cpp, beside headers NAME.hpp."""
    texts = {f"{name}.hpp": header for name, header in headers.items()} | {"x.cpp": text}
    return [line.removeprefix("src/x.cpp:") for line in Tree(texts).lacking("x.cpp")]


def test_what_is_forgotten_is_found():
    assert lacking("\nstd::map<int, int> m;\nstd::map<int, int> n;") == ["2 uses std::map without <map>"]
    assert lacking("std::ranges::sort(x); #include <algorithm>\n") == ["1 uses std::sort without <algorithm>"]
    assert lacking("namespace fs = std::filesystem;") == ["1 uses std::filesystem without <filesystem>"]
    assert lacking("bool b = std::is_same_v<A, B>;") == ["1 uses std::is_same_v without <type_traits>"]
    assert lacking("std::get<0>(x)")[0].endswith("without <array> or <tuple> or <utility> or <variant>")
    assert lacking("std::nonsense y;") == [
        f"1 uses std::nonsense, which is unknown: add it to NAMES_OF of {HERE}, after its header"]
    assert lacking("\n\nfmt::format(x);") == ["3 uses fmt:: without <fmt/format.h>"]
    assert lacking("nlohmann::json j;") == ["1 uses nlohmann:: without <nlohmann/json.hpp> or <nlohmann/json_fwd.hpp>"]
    assert list(Tree({"headrace/a.h": "std::map m;"}).lacking("headrace/a.h")) == [
        "include/headrace/a.h:1 uses std::map without <map>"]


def test_what_is_there_is_seen():
    assert lacking('#include "a.hpp"\nstd::vector<int> v;', a='  # include "b.hpp"\n', b="#include <vector>\n") == []
    assert lacking("#include <sstream>\nstd::size_t n;") == []  # by istream, ios and string
    assert lacking("#include <vector>\nstd::move(a); std::size(b); std::exchange(c, d);") == [
        "2 uses std::exchange without <utility>"]
    assert lacking("#include <nlohmann/json.hpp>\nnlohmann::json j; std::uint64_t n; std::map<int, int> m;") == []
    assert lacking("#include <fmt/ranges.h>\nfmt::format(x);") == []
    assert lacking("/* of\n it */ #include <map>\nstd::map m;") == []
    assert lacking("#if 0\n#else\n#include <map>\n#endif\nstd::map m;") == []


def test_what_is_no_code_does_not_count():
    assert lacking("// std::map\n/* std::map\n// */ /* */ auto t = \"/* std::map\"; auto u = R\"x(\" std::map)\" )x\";") == []
    quotes = "char a = '\"'; std::map m; char b = '\\''; std::set s; char c = '\"'; int n = 1'000; std::list l; int o = 1'000;"
    assert [line.split("::")[1].split()[0] for line in lacking(quotes)] == ["map", "set", "list"]
    for hidden in ("/*\n#include <map>\n*/", 'R"(\n#include <map>\n)"', "#if 0\n#if X\n#endif\n#include <map>\n#endif",
                   "// \\\n#include <map>"):
        lines = hidden.count("\n") + 2
        assert lacking(f"{hidden}\nstd::map m;") == [f"{lines} uses std::map without <map>"]
