/*
 * One client of the control socket: its requests one after the other, and what a command needs to
 * answer. A command answers with any number of lines and then client_done or client_fail.
 */
#pragma once

#include <jansson.h>

#include "admin/control.h"

struct control_client;

/* An answer that takes more than one turn of the loop. */
struct control_task {
    /* What was written has been taken: more can follow. May be NULL. */
    void (*flushed)(struct control_task *task);
    /* The client has left, nothing can be written to it any more. */
    void (*gone)(struct control_task *task);
};

/* Takes the connected descriptor. With too many others, it is told so and let go. */
void client_begin(struct control *control, int fd);
/* It is freed some turns later. Harmless when repeated. */
void client_close(struct control_client *client);

struct control_client *client_of(struct list *node);
/* The user id of the process that connected. */
uid_t client_uid(const struct control_client *client);
struct control *client_control(const struct control_client *client);
/* For a command that has not answered when it returns. */
void client_await(struct control_client *client, struct control_task *task);
/* The task is over, and the answer still to be finished. */
void client_forget(struct control_client *client);
/* A line of the answer. Takes the reference; NULL, for want of memory, drops the client. */
void client_say(struct control_client *client, json_t *object);
/* Whole lines. Takes the memory. */
void client_write(struct control_client *client, char *lines, size_t len);
/* The last line: "done" is added to the object, whose reference it takes. */
void client_done(struct control_client *client, json_t *object);
/* The last line: what is wrong and, unless NULL, what was expected. */
void client_fail(struct control_client *client, const char *expected, const char *format, ...)
    PRINTF(3, 4);
/* Text of any bytes: what is not UTF-8 becomes U+FFFD. NULL becomes null. */
json_t *client_text(const char *text);
