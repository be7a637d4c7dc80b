# Waypost: see `make help`.
VARIANT ?= release
BUILD   := build/$(VARIANT)
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
DESTDIR ?=

ifeq ($(VARIANT),fuzz)
CC := clang
else ifeq ($(origin CC),default)
CC := gcc
endif

PKGS := libuv >= 1.44, openssl >= 3.0, jansson >= 2.14
PKG_CFLAGS := $(shell pkg-config --cflags libuv openssl jansson 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs libuv openssl jansson 2>/dev/null)

CPPFLAGS += -D_GNU_SOURCE -Iinclude -Isrc
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla -Wswitch-enum -Wformat=2
CFLAGS_release := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
CFLAGS_debug   := -O0 -g3
CFLAGS_asan    := -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_asan   := -fsanitize=address,undefined
CFLAGS_tsan    := -O1 -g3 -fsanitize=thread
LDFLAGS_tsan   := -fsanitize=thread
CFLAGS_cov     := -O0 -g3 --coverage
LDFLAGS_cov    := --coverage
CFLAGS_fuzz    := -O1 -g3 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_fuzz   := -fsanitize=address,undefined
ifeq ($(CFLAGS_$(VARIANT)),)
$(error unknown VARIANT '$(VARIANT)': use release, debug, asan, tsan, cov or fuzz)
endif
CFLAGS  += -std=c11 $(WARN) $(CFLAGS_$(VARIANT)) $(PKG_CFLAGS)
LDFLAGS += $(LDFLAGS_$(VARIANT))
LDLIBS  += $(PKG_LIBS) -lpthread
ifneq ($(WERROR),)
CFLAGS += -Werror
endif

# The pure core: may not see libuv, OpenSSL I/O, sockets, clocks (`make layers` proves it).
CORE_DIRS  := base imap sasl proxyhdr conf route session
SHELL_DIRS := tls net run
CORE_SRC  := $(wildcard $(CORE_DIRS:%=src/%/*.c))
SHELL_SRC := $(wildcard $(SHELL_DIRS:%=src/%/*.c))
CLI_SRC   := $(wildcard src/cli/*.c)
MAIN_SRC  := $(wildcard src/main.c)
obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

.PHONY: all
all: $(BUILD)/waypost ## build build/$VARIANT/waypost

$(BUILD)/waypost: $(call obj,$(MAIN_SRC) $(CLI_SRC)) $(BUILD)/libshell.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libcore.a: $(call obj,$(CORE_SRC))
$(BUILD)/libshell.a: $(call obj,$(SHELL_SRC))
$(BUILD)/%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# --- unit tests -------------------------------------------------------------------------------
UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/libcore.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcriterion $(LDLIBS)

# Tests of the shell: TLS engine to engine, a real loop over socketpairs.
LOOP_SRC := $(wildcard tests/tls/*.c tests/loop/*.c)
LOOP_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(LOOP_SRC))
$(BUILD)/tests/tls/%.bin $(BUILD)/tests/loop/%.bin: ;

-include $(wildcard $(BUILD)/src/*.d $(BUILD)/src/*/*.d $(BUILD)/tests/*/*.d)
