#!/usr/bin/env python3
"""Proves the layering. Prints every violation with its file or object; exit status 1 if there is one.

    layers.py TREE OBJECTS        e.g. layers.py . build/release/obj

TREE/src and TREE/include are read for #include lines: an area may include what MAY_INCLUDE says,
whole areas or single headers.
OBJECTS/src is read with nm: what an object of the pure core leaves undefined must not be a call
that loops, does TLS, opens a socket, reads a clock, starts a thread or touches a descriptor.
"""
import glob
import os
import re
import subprocess
import sys

CORE = ["base", "imap", "sasl", "proxyhdr", "limit", "conf", "route", "probe", "place", "session"]
SHELL = ["tls", "net", "run", "admin"]

MAY_INCLUDE = {
    "base": [],
    "imap": ["base"],
    "sasl": ["base", "conf/conf.h", "conf/claim.h"],
    "proxyhdr": ["base"],
    "limit": ["base"],
    "conf": ["base"],
    "route": ["base", "conf", "imap/caps.h", "sasl/sasl.h"],
    "probe": ["base", "imap", "proxyhdr", "conf/conf.h", "sasl/sasl.h"],
    "place": ["base", "limit"],
    "session": ["base", "imap", "sasl", "proxyhdr", "limit", "conf", "route"],
    "tls": ["base", "conf"],
    "net": ["base", "conf", "tls"],
    "run": CORE + ["tls", "net"],
    "admin": CORE + ["tls", "net", "run"],
    "cli": CORE + SHELL,
    "main": CORE + SHELL + ["cli"],
}

# Libraries, and the areas whose files may name them.
LIBRARY = [
    (r"uv\.h$|uv/", ["net", "run", "admin"]),
    (r"openssl/", ["tls"]),
    (r"jansson", ["conf", "admin"]),
    (r"pcre2", ["conf"]),
    (r"(pthread|threads)\.h$", SHELL + ["cli", "main"]),
]

# Areas whose private headers another may see: what operators ask for lies all over run.
OPEN = {"admin": ["run"]}

# What no object of the core may call, by the first pattern that matches the whole symbol. The last
# column lists objects that may after all, each for the reason given beside it.
FORBIDDEN = [
    ("loop", r"uv_\w+", []),
    ("TLS", r"(SSL|BIO|ERR|EVP|RAND|X509|PEM|OPENSSL|CRYPTO|OSSL|TLS)_\w+", []),
    ("socket", r"socket|socketpair|connect|bind|listen|accept4?|shutdown|send(to|m?msg)?"
               r"|recv(from|m?msg)?|[gs]etsockopt|get(sock|peer)name|p?poll|p?select|epoll_\w+"
               r"|getaddrinfo|getnameinfo|gethostby\w+", []),
    ("clock", r"clock(_\w+)?|gettimeofday|time|times|ftime|timespec_get|localtime(_r)?|mktime"
              r"|timer\w*_\w+|alarm|u?sleep|nanosleep|[gs]etitimer", []),
    ("thread", r"pthread_\w+|thrd_\w+|mtx_\w+|cnd_\w+|call_once|sem_\w+", []),
    ("process", r"v?fork|execv?\w*|posix_spawn\w*|system|popen|wait(pid|id|3|4)?|kill|raise"
                r"|signal|sig(action|procmask|wait\w*)|set(res|re|e)?[ug]id|daemon", []),
    ("randomness", r"s?random(_r)?|s?rand(_r)?|[dejlmn]rand48(_r)?|getrandom|getentropy"
                   r"|arc4random\w*",
     # Seeds the hash of the user table when the configuration is loaded.
     ["conf/load.o"]),
    # A broken contract says where on standard error before it aborts.
    ("output", r"v?[df]?printf|puts|putchar|perror|f?put[cs]|fwrite|stderr|stdout",
     ["base/check.o"]),
    # The configuration is files, and only conf reads them.
    ("file", r"f?open(at)?|creat|fdopen|freopen|fclose|close|p?read(v|_chk)?|p?writev?|fread"
             r"|fgets|getline|getdelim|fgetc|getc|ungetc|feof|ferror|fseeko?|ftello?|rewind"
             r"|l?stat|fstat(at)?|mmap|munmap|lseek|access|realpath|openat2?|dup[23]?|pipe2?"
             r"|fcntl|ioctl|unlink|rename|mkdir|opendir|readdir|closedir|mkstemp|tmpfile",
     ["conf/*"]),
    ("JSON", r"json_\w+", ["conf/*"]),
]


def area_of(path):
    """src/imap/scan.c and include/waypost/imap/scan.h are of area imap, src/main.c of main."""
    parts = path.split(os.sep)
    inner = parts[1:] if parts[0] == "src" else parts[2:]
    return inner[0] if len(inner) > 1 else os.path.splitext(inner[0])[0]


def judge_include(path, area, name, quoted):
    """What is wrong with this #include, or None."""
    if not quoted:
        for pattern, areas in LIBRARY:
            if re.match(pattern, name) and area not in areas:
                return f"<{name}> belongs to {', '.join(areas)}"
        return None
    parts = name.split("/")
    if len(parts) == 1:
        return None
    other = parts[1] if parts[0] == "waypost" else parts[0]
    allowed = {area, *MAY_INCLUDE[area]}
    if not allowed & {other, other + "/" + parts[-1]}:
        return f"{area} may not include {other} (\"{name}\")"
    if (other == "session" and area != "session" and parts[-1] not in ("lore.h", "gate.h", "lease.h")
            and not re.search(r"run/conn\w*\.[ch]$", path)):
        return f"only run/conn drives a session (\"{name}\")"
    if parts[0] != "waypost" and area not in (other, "main") and other not in OPEN.get(area, []):
        return f"\"{name}\" is private to {other}"
    return None


def check_includes(tree):
    pattern = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
    for path in sorted(glob.glob(tree + "/src/**/*.[ch]", recursive=True)
                       + glob.glob(tree + "/include/**/*.h", recursive=True)):
        short = os.path.relpath(path, tree)
        area = area_of(short)
        if area not in MAY_INCLUDE:
            yield f"{short}: no layer is known for the area {area}"
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for mark, name in pattern.findall(text):
            wrong = judge_include(short, area, name, mark == '"')
            if wrong:
                yield f"{short}: {wrong}"


def plain(symbol):
    """The function behind a symbol: without version, fortification or large-file decoration."""
    symbol = symbol.partition("@")[0]
    symbol = re.sub(r"^__isoc\d\d_|^__GI_|^__(?=\w+_chk$|\w+_2$)", "", symbol)
    return re.sub(r"(_chk|64|64_2|_2)$", "", symbol)


def judge_symbol(area, unit, symbol):
    """What the symbol reaches that this object may not, or None."""
    for kind, pattern, excepted in FORBIDDEN:
        if re.fullmatch(pattern, plain(symbol)):
            allowed = unit in excepted or area + "/*" in excepted
            return None if allowed else kind
    return None


def check_objects(objects):
    units = [unit for area in CORE for unit in sorted(glob.glob(f"{objects}/src/{area}/*.o"))]
    if not units:
        yield f"{objects}: no object of the core"
    for path in units:
        short = os.path.relpath(path, os.path.join(objects, "src"))
        area = short.split(os.sep)[0]
        listing = subprocess.run(["nm", "-u", "-P", path], check=True, capture_output=True,
                                 text=True).stdout
        for symbol in (line.split()[0] for line in listing.splitlines() if line.strip()):
            kind = judge_symbol(area, short, symbol)
            if kind:
                yield f"src/{short}: {symbol} ({kind})"


def main(tree, objects):
    wrong = [*check_includes(tree), *check_objects(objects)]
    for line in wrong:
        print(line)
    print(f"layers: {len(wrong)} violations" if wrong else "layers: the core is pure")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
