# Waypost. `make` builds build/release/waypost; `make help` lists the rest.
#
# Each VARIANT (release, debug, asan, tsan, cov, fuzz) has its own tree under build/, so that no
# clean is needed between them. V=1 shows the commands, WERROR=1 turns warnings into errors.
VERSION := 0.1.0
VARIANT ?= release
BUILD   ?= build/$(VARIANT)
V       ?= 0

PREFIX      ?= /usr/local
SBINDIR     ?= $(PREFIX)/sbin
MANDIR      ?= $(PREFIX)/share/man
SYSCONFDIR  ?= /etc
DESTDIR     ?=
PKG_CONFIG  ?= pkg-config

ifeq ($(VARIANT),fuzz)
CC := clang
else ifeq ($(origin CC),default)
CC := gcc
endif

# --- libraries --------------------------------------------------------------------------------
# The core is pure: it sees JSON (in src/conf) and a hash function. The shell adds loop and TLS.
CORE_PKGS  := jansson >= 2.14 libxxhash >= 0.8
SHELL_PKGS := libuv >= 1.44 openssl >= 3.0
PKGS       := $(CORE_PKGS) $(SHELL_PKGS)
pkg = $(shell $(PKG_CONFIG) $(1) '$(2)' 2>/dev/null)
MISSING := $(shell $(PKG_CONFIG) --print-errors --exists '$(PKGS)' >/dev/null 2>&1 || echo yes)

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

override CPPFLAGS += -D_GNU_SOURCE -DWAYPOST_VERSION='"$(VERSION)"' -Iinclude -Isrc
override CFLAGS   += -std=c11 $(WARN) $(CFLAGS_$(VARIANT)) $(call pkg,--cflags,$(PKGS)) \
                     $(if $(WERROR),-Werror)
override LDFLAGS  += $(LDFLAGS_$(VARIANT)) -Wl,--as-needed

# --- sources ----------------------------------------------------------------------------------
# `make layers` proves that the core directories see no loop, no TLS, no socket and no clock.
CORE_DIRS   := base imap sasl proxyhdr limit conf route session
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
TSAN_SRC    := $(if $(filter tsan,$(VARIANT)),tests/support/tsan/arena.c)
SOURCES     := $(CORE_SRC) $(SHELL_SRC) $(MAIN_SRC) $(UNIT_SRC) $(LOOP_SRC) $(SUPPORT_SRC) \
               $(SCRIPT_SRC) $(FUZZ_SRC) $(REPLAY_SRC) $(TSAN_SRC)

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

$(BUILD)/waypost: $(call obj,$(MAIN_SRC)) $(BUILD)/libshell.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	$(link) $(SHELL_LIBS)

$(BUILD)/libcore.a: $(call obj,$(CORE_SRC))
$(BUILD)/libshell.a: $(call obj,$(SHELL_SRC))
$(BUILD)/libsupport.a: $(call obj,$(SUPPORT_SRC))
$(BUILD)/libcore.a $(BUILD)/libshell.a $(BUILD)/libsupport.a: $(BUILD)/sources.stamp
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)

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
	@echo '$(subst ','\'',$(STAMP_$*))' | cmp -s - $@ || echo '$(subst ','\'',$(STAMP_$*))' >$@
.PHONY: FORCE
FORCE:
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

-include $(patsubst %.o,%.d,$(call obj,$(SOURCES)))
