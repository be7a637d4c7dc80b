#!/usr/bin/env python3
"""House rules that no compiler knows. Prints file:line and the rule; exit status 1 on a finding.

    lint.py FILE...        .c .h .def, .py and scripts

For C: a comment heads the file, `#pragma once` in headers, at most 400 lines a file and 60 a
function, no function that cannot be used safely, no typedef of a struct. For all: no tab, no
trailing space, no note to do something later. For Python also: functions of at most 60 lines.
"""
import ast
import re
import sys

FILE_LINES = 400
FUNCTION_LINES = 60
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|strtok_r|atoi|atol|atoll|atof|alloca"
                    r"|strncpy|strncat|gets|stpcpy|setenv|putenv)\s*\(")
LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def blank(match):
    """Comments and strings keep their newlines, so that line numbers stay true."""
    return re.sub(r"[^\n]", " ", match[0])


def code_only(text):
    token = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"' + r"|'(?:\\.|[^'\\\n])+'"
    return re.sub(token, blank, text, flags=re.S)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_text(text):
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            yield number, "tab"
        if line != line.rstrip():
            yield number, "trailing space"
        if LATER.search(line):
            yield number, "a note instead of the work"
    if text and not text.endswith("\n"):
        yield line_of(text, len(text)), "no newline at the end"
    if text.count("\n") > FILE_LINES:
        yield FILE_LINES, f"more than {FILE_LINES} lines"


def check_functions(code):
    start = None
    for number, line in enumerate(code.split("\n"), 1):
        if line.rstrip() == "{":
            start = number
        elif line.startswith("}") and start is not None:
            if number - start - 1 > FUNCTION_LINES:
                yield start, f"function of {number - start - 1} lines"
            start = None


def check_c(path, text):
    if not text.startswith("/*"):
        yield 1, "the file does not begin with the comment that says what it is"
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.M):
        yield 1, "header without #pragma once"
    code = code_only(text)
    for match in BANNED.finditer(code):
        yield line_of(code, match.start()), f"banned function {match[1]}"
    for match in re.finditer(r"\btypedef\s+(struct|union)\b[^;{]*[;{]", code):
        yield line_of(code, match.start()), "typedef of a struct"
    yield from check_functions(code)


def check_python(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.end_lineno - node.lineno > FUNCTION_LINES:
                yield node.lineno, f"function of {node.end_lineno - node.lineno} lines"


def check(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    yield from check_text(text)
    if path.endswith((".c", ".h", ".def")):
        yield from check_c(path, text)
    if path.endswith(".py") or text.startswith("#!/usr/bin/env python3"):
        yield from check_python(text)


def main(paths):
    findings = [(path, number, rule) for path in paths for number, rule in check(path)]
    for path, number, rule in sorted(findings):
        print(f"{path}:{number}: {rule}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
