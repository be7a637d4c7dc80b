/*
 * The version, once: the program says it, the Makefile reads it from here for `make dist`.
 */
#pragma once

#define WAYPOST_VERSION "0.1.0"
