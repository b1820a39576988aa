"""Files, functions and signatures stay small; raising a number here needs a reason."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "lamina"

FILE_LINES = 300
FUNCTION_LINES = 40  # from def to the end, without the docstring
POSITIONAL_PARAMETERS = 7  # without self or cls
KERNEL_PARAMETERS = 8  # a kernel is handed one address or count at a time
# All of network/, without docstrings, comments and blank lines. Formulas of one number, which
# an engine can put into its loops, take some lines more than formulas of matrices; and second
# derivatives are a chapter of their own, of some 120 lines. Targets that count differently or are
# missing, and outputs in blocks, are errors made of others: 130 lines.
MATHEMATICS_LINES = 1550

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders):
    """Return all Python files under the folders, in order."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def name_of(path):
    """Return the path as it is written from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def count_lines(source):
    """Return the number of physical lines."""
    return len(source.splitlines())


def count_code(source):
    """Return the number of lines that hold code: no docstring, no comment, not blank."""
    tree = ast.parse(source)
    owners = (ast.Module, ast.ClassDef, *Function.__args__)
    described = [n for n in ast.walk(tree) if isinstance(n, owners) and ast.get_docstring(n)]
    texts = [node.body[0] for node in described]
    texts += [n for n in ast.walk(tree) if isinstance(n, ast.Expr) and is_text(n.value)]
    hidden = {line for text in texts for line in range(text.lineno, text.end_lineno + 1)}
    lines = enumerate(source.splitlines(), start=1)
    return sum(1 for n, line in lines if n not in hidden and line.strip()[:1] not in ("", "#"))


def is_text(node):
    """Return whether a node is a string that stands alone: the description of a name."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def functions(source):
    """Yield every function and method, nested ones too."""
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))


def function_lines(function):
    """Return the lines of a function from def to its end, without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= docstring.end_lineno - docstring.lineno + 1
    if function.name == "__init__":  # scikit-learn's parameters: one a line, however many
        lines -= function.body[0].lineno - function.lineno - 1
    return lines


def positional_parameters(function):
    """Return how many arguments may be given by position, without self or cls."""
    names = [argument.arg for argument in function.args.posonlyargs + function.args.args]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def too_long(source):
    """Describe each function of more than FUNCTION_LINES lines."""
    return [
        f"line {function.lineno}: {function.name} has {lines} lines"
        for function in functions(source)
        if (lines := function_lines(function)) > FUNCTION_LINES
    ]


def too_wide(source, most=POSITIONAL_PARAMETERS):
    """Describe each function of more positional parameters than allowed."""
    return [
        f"line {function.lineno}: {function.name} has {count} positional parameters"
        for function in functions(source)
        if (count := positional_parameters(function)) > most
    ]


SOURCES = python_files(PACKAGE)
# scikit-learn's conventions decide about signatures there.
OUTSIDE_ESTIMATORS = [path for path in SOURCES if PACKAGE / "estimators" not in path.parents]


@pytest.mark.parametrize(
    "path",
    python_files(*(ROOT / name for name in ("src", "tests", "examples", "benchmarks"))),
    ids=name_of,
)
def test_file_is_short(path):
    """A file has at most 300 lines."""
    assert count_lines(path.read_text(encoding="utf-8")) <= FILE_LINES


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_function_is_short(path):
    """A function of the library has at most 40 lines without its docstring."""
    assert too_long(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", OUTSIDE_ESTIMATORS, ids=name_of)
def test_signature_is_narrow(path):
    """A function outside the estimators takes at most 7 arguments by position, a kernel 8."""
    kernel = PACKAGE / "engines" / "compiled" in path.parents
    most = KERNEL_PARAMETERS if kernel else POSITIONAL_PARAMETERS
    assert too_wide(path.read_text(encoding="utf-8"), most) == []


def test_mathematics_are_short():
    """The whole of network/ has at most 1,550 lines of code."""
    lengths = {
        name_of(path): count_code(path.read_text(encoding="utf-8"))
        for path in python_files(PACKAGE / "network")
    }
    assert 0 < sum(lengths.values()) <= MATHEMATICS_LINES, lengths


def test_code_counter_leaves_out_descriptions():
    """Docstrings, the text below a name, comments and blank lines are no code."""
    assert count_code('"""Module."""\n\n# note\nx = 1\n"""About x,\n\nat length."""\ny = 2\n') == 2


@pytest.mark.parametrize(("body", "verdict"), [(39, []), (40, ["line 2: f has 41 lines"])])
def test_function_checker_counts_without_docstring(body, verdict):
    """Line 41 is one too many, and neither decorator nor docstring counts as a line."""
    head = '@decorator\ndef f():\n    """One line.\n\n    More lines.\n    """\n'
    assert too_long(head + "    x = 1\n" * body) == verdict


@pytest.mark.parametrize(
    "signature",
    ["a, b, c, d, e, f, g, h", "a, b, /, c, d, e, f, g, h", "self, a, b, c, d, e, f, g, h=0"],
)
def test_signature_checker_catches_eight(signature):
    """An eighth positional parameter is found, however it is written and nested."""
    source = f"class C:\n    def outer(self):\n        def f({signature}): ...\n"
    assert too_wide(source) == ["line 3: f has 8 positional parameters"]


@pytest.mark.parametrize(
    "signature", ["self, a, b, c, d, e, f, g", "a, *rest, b, c, d, e, f, g, h"]
)
def test_signature_checker_allows_seven(signature):
    """Neither self nor keyword-only parameters count."""
    assert too_wide(f"def f({signature}): ...\n") == []
