#!/usr/bin/env bash
# lint.py and the .clang-tidy profile find what they are there to find.
source "$(dirname "$0")/plant.bash"
copy tests/build .clang-tidy
head='/* Planted. */'

# lines N: a statement, N times.
lines() { yes '    f();' | head -n "$1"; }

lint() {
    plant "${1:-planted.c}"
    tests/build/lint.py "${1:-planted.c}"
}

accepts "a clean file" lint <<<"$head"
accepts "a banned name in a comment or string" lint <<<"$head
/* not strcpy(a, b) */ const char *s = \"sprintf(\";"
for name in strcpy strcat sprintf vsprintf strtok atoi atol alloca strncpy gets; do
    refuses "$name" "planted.c:2: banned function $name" lint <<<"$head
int x = $name(y);"
done
refuses "no header comment" 'planted.c:1: the file does not begin' lint <<<'int x;'
refuses "a tab" 'planted.c:2: tab' lint <<<"$head"$'\n\tint x;'
refuses "trailing space" 'planted.c:2: trailing space' lint <<<"$head"$'\nint x; '
refuses "a note for later" 'planted.c:2: a note' lint <<<"$head
/* ""TO""DO: later */"
refuses "a header without a guard" 'without #pragma once' lint planted.h <<<"$head"
refuses "a struct behind a typedef" 'planted.c:2: typedef' lint <<<"$head
typedef struct x { int y; } x;"
accepts "a function of 60 lines" lint <<<"$head
void f(void)
{
$(lines 60)
}"
refuses "a function of 61 lines" 'planted.c:3: function of 61' lint <<<"$head
void f(void)
{
$(lines 61)
}"
accepts "a file of 400 lines" lint <<<"$head
$(lines 399)"
refuses "a file of 401 lines" 'more than 400' lint <<<"$head
$(lines 400)"
refuses "a Python function of 70 lines" 'planted.py:1: function' lint planted.py <<<"def f():
$(yes '    g()' | head -n 70)"

tidy() {
    plant planted.c
    tests/build/tidy.sh -std=c11 planted.c
}

if command -v clang-tidy >/dev/null; then
    accepts "clang-tidy: nothing to say" tidy <<<'int f(int x); int f(int x) { return x; }'
    refuses "clang-tidy: a leak" 'unix.Malloc' tidy <<<'#include <stdlib.h>
int f(int x);
int f(int x)
{
    char *p = malloc(1);
    return p == NULL ? x : 0;
}'
    refuses "clang-tidy: four levels" 'nesting level 4' tidy <<<'int f(int x);
int f(int x)
{
    while (x > 0) {
        if (x > 1) {
            if (x > 2) {
                if (x > 3) {
                    x--;
                }
            }
        }
        x--;
    }
    return x;
}'
fi
