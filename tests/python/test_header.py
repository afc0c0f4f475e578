"""The declarations for ctypes are those of ocireg.h, all of them and no others."""

import ctypes
import re
from typing import Any, Dict, List, Tuple

import ocireg
from ocireg import _bindings as b
from ocireg import _errors
from support import ROOT

HEADER = (ROOT / "include/ocireg.h").read_text()
CODE = re.sub(r"/\*.*?\*/|//[^\n]*", "", HEADER, flags=re.DOTALL)

PLAIN = {
    "void": None,
    "bool": ctypes.c_bool,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "size_t": ctypes.c_size_t,
    "void *": ctypes.c_void_p,
    "uint8_t *": ctypes.c_void_p,
    "const uint8_t *": ctypes.c_void_p,
    "const char *": ctypes.c_char_p,
    "const char **": ctypes.POINTER(ctypes.c_char_p),
    "const char *const *": ctypes.POINTER(ctypes.c_char_p),
    "size_t *": ctypes.POINTER(ctypes.c_size_t),
    "bool *": ctypes.POINTER(ctypes.c_bool),
    "ocireg_read_fn": b.read_fn,
    "ocireg_seek_fn": b.seek_fn,
    "ocireg_progress_fn": b.progress_fn,
}


def of_c(kind: str) -> Any:
    """The ctypes type for a type of the header."""
    kind = " ".join(kind.split())
    if kind in PLAIN:
        return PLAIN[kind]
    number = re.search(rf"^typedef (\w+) {kind};", CODE, flags=re.MULTILINE) if kind.isidentifier() else None
    if number:
        return PLAIN[number[1]]
    match = re.fullmatch(r"(?:const )?struct (ocireg_\w+) (\*+)", kind)
    assert match, kind
    found = ctypes.POINTER(getattr(b, match[1]))
    return found if match[2] == "*" else ctypes.POINTER(found)


def parameters(text: str) -> List[Tuple[str, str]]:
    if text.strip() == "void":
        return []
    pairs = []
    for parameter in text.split(","):
        match = re.fullmatch(r"\s*(.*?[\s*])(\w+)\s*", parameter, flags=re.DOTALL)
        assert match, parameter
        pairs.append((match[1], match[2]))
    return pairs


def functions() -> Dict[str, Tuple[Any, List[Any]]]:
    found = {}
    for result, name, arguments in re.findall(
        r"OCIREG_API\s+(?:OCIREG_MUST_USE\s+)?([^;{}]*?[\s*])(ocireg_\w+)\(([^)]*)\)\s*;", CODE
    ):
        found[name] = (of_c(result), [of_c(kind) for kind, _ in parameters(arguments)])
    return found


def macros(prefix: str) -> Dict[str, str]:
    return dict(re.findall(rf"^#define OCIREG_{prefix}(\w+) (\S+)$", HEADER, flags=re.MULTILINE))


def test_every_function_is_declared_as_in_the_header_and_no_other_is() -> None:
    header = functions()
    assert len(header) == len(re.findall(r"^OCIREG_API\b", CODE, flags=re.MULTILINE))
    assert b.FUNCTIONS.keys() == header.keys()
    for name, declared in b.FUNCTIONS.items():
        assert declared == header[name], name


def test_callbacks_and_their_table_are_those_of_the_header() -> None:
    for name, declared in (("read", b.read_fn), ("seek", b.seek_fn), ("progress", b.progress_fn)):
        match = re.search(rf"typedef (\w+) \(\*ocireg_{name}_fn\)\(([^)]*)\);", CODE)
        assert match
        assert declared._restype_ is of_c(match[1])
        expected = [of_c(kind) for kind, _ in parameters(match[2])]
        assert list(declared._argtypes_) == expected, name
    match = re.search(r"typedef struct ocireg_reader \{(.*?)\}", CODE, flags=re.DOTALL)
    assert match
    members = re.findall(r"^\s*(\S.*?[\s*])(\w+);", match[1], flags=re.MULTILINE)
    assert list(b.ocireg_reader._fields_) == [(name, of_c(kind)) for kind, name in members]


def test_every_opaque_type_is_declared() -> None:
    header = set(re.findall(r"^typedef struct (ocireg_\w+) \1;", CODE, flags=re.MULTILINE))
    declared = {name for name in vars(b) if name.startswith("ocireg_")} - {"ocireg_reader"}
    assert declared == header


def test_every_status_has_a_class_of_its_own_and_no_class_is_without_one() -> None:
    statuses = {int(number): name for name, number in macros("E_").items()}
    assert {number: one.STATUS for number, one in _errors.BY_STATUS.items()} == {n: n for n in statuses}
    for number, one in _errors.BY_STATUS.items():
        name = "".join(word.capitalize() for word in statuses[number].split("_"))
        assert one.__name__ in (name, f"{name}Failed") or (name, one) == ("Panic", ocireg.InternalError)
        assert getattr(ocireg, one.__name__) is one
        assert issubclass(one, ocireg.Error) and one.__doc__


def test_constants_are_those_of_the_header() -> None:
    for prefix, module in (("MEDIA_TYPE_", ocireg.media_type), ("ANNOTATION_", ocireg.annotation)):
        ours = {name: f'"{value}"' for name, value in vars(module).items() if name.isupper()}
        assert ours == macros(prefix)
    for prefix, kind in (
        ("ALGORITHM_", ocireg.Algorithm),
        ("PHASE_", ocireg.Phase),
        ("TRUST_ROOTS_", ocireg.TrustRoots),
    ):
        assert {name: str(int(member)) for name, member in kind.__members__.items()} == macros(prefix)
    assert b.UNKNOWN == ctypes.c_uint64(-1).value


def test_the_version_is_that_of_the_header_and_of_the_library() -> None:
    assert f'"{ocireg.__version__}"' == macros("")["VERSION"]
    assert ocireg.library_version() == ocireg.__version__


def test_everything_public_is_named() -> None:
    assert all(hasattr(ocireg, name) for name in ocireg.__all__)
    assert sorted(ocireg.__all__) == ocireg.__all__
