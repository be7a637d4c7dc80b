# Waypost. `make` builds build/release/waypost; `make help` lists the rest.
#
# Each VARIANT (release, debug, asan, tsan, cov, fuzz) has its own tree under build/, so that no
# clean is needed between them. V=1 shows the commands, WERROR=1 turns warnings into errors.
VERSION := $(shell sed -n 's/^.define WAYPOST_VERSION "\(.*\)"/\1/p' include/waypost/base/version.h)
VARIANT ?= release
BUILD   ?= build/$(VARIANT)
V       ?= 0

PREFIX      ?= /usr/local
SBINDIR     ?= $(PREFIX)/sbin
DATADIR     ?= $(PREFIX)/share
MANDIR      ?= $(DATADIR)/man
SYSCONFDIR  ?= /etc
DESTDIR     ?=
PKG_CONFIG  ?= pkg-config

ifeq ($(VARIANT),fuzz)
CC := clang
else ifeq ($(origin CC),default)
CC := gcc
endif

# --- libraries --------------------------------------------------------------------------------
# The core is pure: it sees JSON and patterns (in src/conf) and a hash function. The shell adds loop and TLS.
CORE_PKGS  := jansson >= 2.14 libxxhash >= 0.8 libpcre2-8 >= 10.30
SHELL_PKGS := libuv >= 1.44 openssl >= 3.0
PKGS       := $(CORE_PKGS) $(SHELL_PKGS)
pkg = $(shell $(PKG_CONFIG) $(1) '$(2)' 2>/dev/null)
MISSING := $(shell $(PKG_CONFIG) --exists '$(PKGS)' 2>/dev/null && command -v $(CC) >/dev/null || echo yes)

PKG_CFLAGS     := $(call pkg,--cflags,$(PKGS))
CORE_LIBS      := $(call pkg,--libs,$(CORE_PKGS))
SHELL_LIBS     := $(call pkg,--libs,$(PKGS)) -lpthread
CRITERION_LIBS := -lcriterion

# --- flags ------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wvla -Wswitch-enum -Wformat=2
SAN_asan := -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_release  := -O2 -g -fPIE -fstack-protector-strong -fstack-clash-protection \
                   -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$(CURDIR)=.
LDFLAGS_release := -pie -Wl,-z,relro,-z,now,-z,noexecstack
CFLAGS_debug    := -O0 -g3
CFLAGS_asan     := -O1 -g3 -fno-omit-frame-pointer $(SAN_asan)
LDFLAGS_asan    := $(SAN_asan)
CFLAGS_tsan     := -O1 -g3 -fsanitize=thread
LDFLAGS_tsan    := -fsanitize=thread
CFLAGS_cov      := -O0 -g3 --coverage
LDFLAGS_cov     := --coverage
CFLAGS_fuzz     := -O1 -g3 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link $(SAN_asan)
LDFLAGS_fuzz    := $(SAN_asan)
ifeq ($(CFLAGS_$(VARIANT)),)
$(error unknown VARIANT '$(VARIANT)': use release, debug, asan, tsan, cov or fuzz)
endif

override CPPFLAGS += -D_GNU_SOURCE -Iinclude -Isrc
override CFLAGS   += -std=c11 $(WARN) $(CFLAGS_$(VARIANT)) $(PKG_CFLAGS) \
                     $(if $(WERROR),-Werror)
override LDFLAGS  += $(LDFLAGS_$(VARIANT)) -Wl,--as-needed

# --- sources ----------------------------------------------------------------------------------
# `make layers` proves that the core directories see no loop, no TLS, no socket and no clock.
CORE_DIRS   := base imap sasl proxyhdr limit conf route probe place session
SHELL_DIRS  := tls net run admin
CORE_SRC    := $(wildcard $(CORE_DIRS:%=src/%/*.c))
SHELL_SRC   := $(wildcard $(SHELL_DIRS:%=src/%/*.c))
MAIN_SRC    := $(wildcard src/main.c src/cli/*.c)
UNIT_SRC    := $(wildcard tests/unit/test_*.c)
LOOP_SRC    := $(wildcard tests/tls/test_*.c tests/loop/test_*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)
SCRIPT_SRC  := $(wildcard tests/transcripts/*.c)
FUZZ_SRC    := $(wildcard tests/fuzz/fuzz_*.c)
REPLAY_SRC  := tests/fuzz/replay.c
BENCH_SRC   := $(wildcard tests/bench/bench_*.c)
TSAN_SRC    := $(if $(filter tsan,$(VARIANT)),$(wildcard tests/support/tsan/*.c))
SOURCES     := $(CORE_SRC) $(SHELL_SRC) $(MAIN_SRC) $(UNIT_SRC) $(LOOP_SRC) $(SUPPORT_SRC) \
               $(SCRIPT_SRC) $(FUZZ_SRC) $(REPLAY_SRC) $(BENCH_SRC) $(TSAN_SRC)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
UNIT_BIN   := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
LOOP_BIN   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(LOOP_SRC))
SCRIPT_BIN := $(if $(SCRIPT_SRC),$(BUILD)/tests/transcripts)
FUZZ_BIN   := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC))

Q   := $(if $(filter 1,$(V)),,@)
say  = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' '$(1)' '$(2)')
link = $(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^)

# --- program ----------------------------------------------------------------------------------
.PHONY: all
all: $(BUILD)/waypost ## build build/$VARIANT/waypost

$(BUILD)/waypost: $(call obj,$(MAIN_SRC) $(TSAN_SRC)) $(BUILD)/libshell.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	$(link) $(SHELL_LIBS)

$(BUILD)/libcore.a: $(call obj,$(CORE_SRC))
$(BUILD)/libshell.a: $(call obj,$(SHELL_SRC))
$(BUILD)/libsupport.a: $(call obj,$(SUPPORT_SRC))
$(BUILD)/libcore.a $(BUILD)/libshell.a $(BUILD)/libsupport.a: $(BUILD)/sources.stamp
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)

$(BUILD)/obj/tests/%.o: override CPPFLAGS += -Itests
$(BUILD)/obj/%.o: %.c $(BUILD)/flags.stamp
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# A stamp changes only when what it records changes: other flags rebuild all, and a source that
# was deleted leaves the archives.
STAMP_flags   = $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
STAMP_sources = $(SOURCES)
$(BUILD)/%.stamp: FORCE
	@mkdir -p $(@D)
	@echo '$(STAMP_$*)' | cmp -s - $@ || echo '$(STAMP_$*)' >$@
ifneq ($(MISSING),)
$(BUILD)/flags.stamp: missing
endif
.PHONY: FORCE missing
FORCE:
missing:
	@deploy/deps.sh --check build || exit 1; echo '$(CC) or $(PKGS) not found' >&2; exit 1
.SECONDARY:

# --- test programs ----------------------------------------------------------------------------
.PHONY: tests
tests: $(UNIT_BIN) $(LOOP_BIN) $(SCRIPT_BIN) $(FUZZ_BIN) ## build every test program

# Unit tests see the core and nothing else, so that none can reach a socket by accident.
$(UNIT_BIN): $(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(call obj,$(TSAN_SRC)) $(BUILD)/libsupport.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(link) $(CRITERION_LIBS) $(CORE_LIBS)

$(LOOP_BIN): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(call obj,$(TSAN_SRC)) $(BUILD)/libsupport.a $(BUILD)/libshell.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(link) $(CRITERION_LIBS) $(SHELL_LIBS)

$(SCRIPT_BIN): $(call obj,$(SCRIPT_SRC)) $(BUILD)/libsupport.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(link) $(CORE_LIBS)

# Under VARIANT=fuzz a target is driven by libFuzzer, elsewhere it replays its corpus.
FUZZ_MAIN  := $(if $(filter fuzz,$(VARIANT)),,$(call obj,$(REPLAY_SRC)))
FUZZ_FLAGS := $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer)
$(FUZZ_BIN): $(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(FUZZ_MAIN) $(BUILD)/libsupport.a $(BUILD)/libshell.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(link) $(FUZZ_FLAGS) $(SHELL_LIBS)

# --- running and checking ---------------------------------------------------------------------
# These install what is missing first, so that a fresh Debian with make alone can begin here. What
# was installed is only seen by a new make, hence the second call.
.PHONY: deps run demo test check check-asan check-tsan check-valgrind system fuzz
deps: ## install the Debian packages that are missing (through sudo when not root)
	@deploy/deps.sh build demo test

run: ## Waypost before two real Dovecot servers, until Ctrl-C
demo: ## the same, visited with curl; fails if an answer is wrong
run demo:
	@deploy/deps.sh build demo
	@$(MAKE) --no-print-directory all
	@python3 deploy/demo/demo.py $@ --waypost $(BUILD)/waypost

PLAN ?= test
test: ## everything: layers, checks in release and asan, races, system tests
	@deploy/deps.sh build demo test
	@tests/run $(PLAN)

check: ## units, transcripts, corpora, TLS and loop tests in this VARIANT
	@VARIANT=$(VARIANT) tests/run check
check-asan: ## the same with AddressSanitizer and UBSan
check-tsan: ## TLS and loop tests with ThreadSanitizer
check-valgrind: ## unit, TLS and loop tests under valgrind
system: ## the real program before real servers, driven by real clients
fuzz: ## fuzz each target for FUZZ_SECONDS (60), or only FUZZ_TARGETS="scan reply"
check-asan check-tsan check-valgrind system fuzz:
	@tests/run $@

.PHONY: soak
soak: all ## bad weather for SOAK_SECONDS (300): nothing leaks, nobody is at two backends
	@WAYPOST=$(BUILD)/waypost tests/soak/soak.py $(SOAK_SECONDS)

.PHONY: coverage
coverage: ## lines of each source that `make check` reaches
	@find build/cov -name '*.gcda' -delete 2>/dev/null || true
	@VARIANT=cov tests/run check
	@find build/cov/obj/src -name '*.gcda' -exec gcov -n {} + 2>/dev/null | awk -F "[':]" \
	    '/^File/ { file = $$2 } /^Lines/ && file ~ /^src.*c$$/ { print $$3 "  " file; file = "" }' \
	    | sort -n

.PHONY: bench
BENCH_BIN := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_SRC))
$(BENCH_BIN): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libsupport.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(link) $(CORE_LIBS)

bench: $(BENCH_BIN) ## what things cost; judges nothing
	@for program in $(BENCH_BIN); do $$program || exit 1; done

# --- taste ------------------------------------------------------------------------------------
.PHONY: layers lint format compile_commands.json
layers: $(call obj,$(CORE_SRC)) ## prove that the core is pure and that includes point downwards
	@tests/build/layers.py . $(BUILD)/obj

C_FILES  = $(shell find src include tests -name '*.[ch]')
DEF_FILES = $(shell find include src -name '*.def')
PY_FILES = tests/run $(shell find tests deploy -name '*.py')
SH_FILES = deploy/deps.sh .ci/run $(shell find tests deploy -name '*.sh')
TIDY     = $(filter %.c,$(C_FILES))
JOBS     = $(shell getconf _NPROCESSORS_ONLN)
lint: ## formatting, house rules, clang-tidy
	@bad=0; \
	tests/build/lint.py $(C_FILES) $(DEF_FILES) $(PY_FILES) $(SH_FILES) || bad=1; \
	clang-format --dry-run -Werror $(C_FILES) || bad=1; \
	for script in $(SH_FILES); do bash -n $$script || bad=1; done; \
	printf '%s\n' $(TIDY) | xargs -P $(JOBS) -n 1 tests/build/tidy.sh $(CPPFLAGS) -Itests -std=c11 \
	    || bad=1; \
	exit $$bad

format: ## rewrite the C files in the house format
	@clang-format -i $(C_FILES)

compile_commands.json: ## what editors and clang tools want to know
	@printf '[\n$(foreach f,$(SOURCES),{"directory": "$(CURDIR)", "file": "$f",\n "command": "$(CC) $(subst ",\\",$(subst ",\",$(CPPFLAGS) $(CFLAGS))) -c $f"},\n)' | sed '$$s/},$$/}\n]/' >$@

# --- installing -------------------------------------------------------------------------------
# Directories of other packages are asked for, and have a fallback.
dir_of = $(or $(shell $(PKG_CONFIG) --variable=$(1) $(2) 2>/dev/null),$(3))
UNITDIR       ?= $(call dir_of,systemdsystemunitdir,systemd,/usr/lib/systemd/system)
SYSUSERSDIR   ?= $(call dir_of,sysusersdir,systemd,/usr/lib/sysusers.d)
TMPFILESDIR   ?= $(call dir_of,tmpfilesdir,systemd,/usr/lib/tmpfiles.d)
COMPLETIONDIR ?= $(DATADIR)/bash-completion/completions
INSTALL       ?= install

MAN_PAGES := $(wildcard docs/man/*.[1-8])
SCHEMAS   := $(wildcard config/schema/*.json)
EXAMPLES  := $(wildcard config/*.json)
man_path  = $(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))
put       = $(INSTALL) -D -m $(1) $(2) '$(DESTDIR)$(3)'
# The unit names the program where it was put.
INSTALLED = '$(SBINDIR)/waypost' '$(UNITDIR)/waypost.service' '$(SYSUSERSDIR)/waypost.conf' \
            '$(TMPFILESDIR)/waypost.conf' '$(COMPLETIONDIR)/waypost' \
            '$(SYSCONFDIR)/waypost/schema' \
            $(foreach f,$(MAN_PAGES),'$(call man_path,$f)') \
            $(foreach f,$(SCHEMAS),'$(DATADIR)/waypost/schema/$(notdir $f)')

.PHONY: install uninstall dist clean help
install: all ## into DESTDIR and PREFIX; an existing configuration is left alone
	$(call put,0755,$(BUILD)/waypost,$(SBINDIR)/waypost)
	sed 's|@SBINDIR@|$(SBINDIR)|; s|@SYSCONFDIR@|$(SYSCONFDIR)|' deploy/systemd/waypost.service.in >$(BUILD)/waypost.service
	$(call put,0644,$(BUILD)/waypost.service,$(UNITDIR)/waypost.service)
	$(call put,0644,deploy/systemd/sysusers.conf,$(SYSUSERSDIR)/waypost.conf)
	$(call put,0644,deploy/systemd/tmpfiles.conf,$(TMPFILESDIR)/waypost.conf)
	$(call put,0644,deploy/completion/waypost.bash,$(COMPLETIONDIR)/waypost)
	$(foreach f,$(MAN_PAGES),$(call put,0644,$f,$(call man_path,$f));)
	$(foreach f,$(SCHEMAS),$(call put,0644,$f,$(DATADIR)/waypost/schema/$(notdir $f));)
	$(INSTALL) -d -m 0750 '$(DESTDIR)$(SYSCONFDIR)/waypost'
	ln -sfn '$(DATADIR)/waypost/schema' '$(DESTDIR)$(SYSCONFDIR)/waypost/schema'
	for f in $(EXAMPLES); do to='$(DESTDIR)$(SYSCONFDIR)'/waypost/$${f##*/}; \
	    test -e "$$to" || $(INSTALL) -D -m 0640 $$f "$$to"; done
	to='$(DESTDIR)$(SYSCONFDIR)'/logrotate.d/waypost; \
	    test -e "$$to" || $(INSTALL) -D -m 0644 deploy/logrotate "$$to"

uninstall: ## remove what install put there, except the configuration
	rm -f $(addprefix '$(DESTDIR)',$(INSTALLED))

dist: ## build/waypost-VERSION.tar.gz of what is committed
	@mkdir -p build
	git archive --prefix=waypost-$(VERSION)/ -o build/waypost-$(VERSION).tar.gz HEAD

clean: ## remove build/
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' Makefile
	@echo '  VARIANT=release|debug|asan|tsan|cov|fuzz   V=1   WERROR=1   PREFIX=   DESTDIR='

-include $(patsubst %.o,%.d,$(call obj,$(SOURCES)))
