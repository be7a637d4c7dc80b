/*
 * Reads a transcript: one line each, escapes undone, adjacent input of one side joined so that it
 * arrives in one piece. Owns the memory of the script; knows nothing of sessions.
 */
#include "transcripts/script.h"

#include <stdio.h>
#include <stdlib.h>

#include "waypost/base/check.h"

#define SCRIPT_MAX (4u << 20)

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    char *memory;

    if (file == NULL) {
        perror(path);
        return NULL;
    }
    memory = malloc(SCRIPT_MAX);
    REQUIRE(memory != NULL);
    *len = fread(memory, 1, SCRIPT_MAX, file);
    fclose(file);
    return memory;
}

static int hex_digit(char c)
{
    c = ascii_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \r \n \t \\ \xHH, and \N{COUNT,TEXT} for COUNT times TEXT. Returns the new write position. */
static char *unescape(struct slice text, char *out)
{
    while (text.len > 0) {
        char c = text.ptr[0];
        size_t used = 1;
        if (c == '\\' && text.len > 1) {
            char e = text.ptr[1];
            used = 2;
            c = e == 'r' ? '\r' : e == 'n' ? '\n' : e == 't' ? '\t' : e;
            if (e == 'x' && text.len >= 4) {
                c = (char)(hex_digit(text.ptr[2]) << 4 | hex_digit(text.ptr[3]));
                used = 4;
            } else if (e == 'N' && text.len > 2 && text.ptr[2] == '{') {
                struct slice inner = slice_skip(text, 3);
                struct slice piece = slice_take(inner, slice_find(inner, '}'));
                unsigned long times = 0;
                used = 3 + piece.len + 1;
                REQUIRE(slice_number(slice_cut(&piece, ','), 100000, &times));
                for (unsigned long i = 0; i < times; i++, out += piece.len)
                    memcpy(out, piece.ptr, piece.len);
                text = slice_skip(text, used);
                continue;
            }
        }
        *out++ = c;
        text = slice_skip(text, used);
    }
    return out;
}

static bool is_input(char kind)
{
    return kind == 'C' || kind == '<';
}

/* Appends one line of the file; adjacent input of one side becomes one deposit. */
static char *add_line(struct script *script, struct slice text, unsigned number, char *out)
{
    char kind = text.ptr[0];
    char *start = out;
    struct script_line *last = script->count == 0 ? NULL : &script->lines[script->count - 1];
    bool raw = text.len > 1 && text.ptr[1] == '.';

    out = unescape(slice_skip(text, kind == '!' ? 2 : 3), out);
    if (!raw && kind != '!') {
        *out++ = '\r';
        *out++ = '\n';
    }
    if (last != NULL && is_input(kind) && last->kind == kind) {
        last->bytes.len += (size_t)(out - start);
        return out;
    }
    script->lines[script->count++] = (struct script_line){
        .number = number,
        .kind = kind,
        .raw = raw,
        .whole = text.len > 1 && text.ptr[1] == '!',
        .text = slice_skip(text, kind == '!' ? 2 : 3),
        .bytes = slice_of(start, (size_t)(out - start)),
    };
    return out;
}

bool script_load(struct script *script, const char *path)
{
    size_t len, lines = 1;
    unsigned number = 0;
    char *out;
    struct slice rest;

    *script = (struct script){.path = path, .listener = SLICE("imaps")};
    script->memory = read_file(path, &len);
    if (script->memory == NULL)
        return false;
    for (size_t i = 0; i < len; i++)
        lines += script->memory[i] == '\n';
    script->lines = calloc(lines, sizeof(*script->lines));
    script->memory = realloc(script->memory, len + SCRIPT_MAX);
    REQUIRE(script->lines != NULL && script->memory != NULL);
    rest = slice_of(script->memory, len);
    out = script->memory + len;
    while (rest.len > 0) {
        struct slice line = slice_cut(&rest, '\n');
        number++;
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (slice_starts(line, SLICE("! listener ")))
            script->listener = slice_skip(line, 11);
        else if (line.len >= 2 && strchr("CS<>!", line.ptr[0]) != NULL)
            out = add_line(script, line, number, out);
        else {
            fprintf(stderr, "%s:%u: not a transcript line\n", path, number);
            return false;
        }
    }
    return script->count > 0;
}

void script_free(struct script *script)
{
    free(script->lines);
    free(script->memory);
}

struct slice script_bytes(const struct script_line *line)
{
    return line->bytes;
}
