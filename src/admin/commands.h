/*
 * What can be asked of the running proxy: one row for each command.
 */
#pragma once

#include "admin/client.h"

/* Carries out a request; answers it, or refuses it with what would have been right. */
void commands_run(struct control_client *client, const json_t *request);

/* Each answers, or begins a task that will. Members of the request are those of its row. */
void command_status(struct control_client *client, const json_t *request);
void command_who(struct control_client *client, const json_t *request);
void command_kick(struct control_client *client, const json_t *request);
void command_reload(struct control_client *client, const json_t *request);
void command_user(struct control_client *client, const json_t *request);
void command_down(struct control_client *client, const json_t *request);
void command_up(struct control_client *client, const json_t *request);
void command_drain(struct control_client *client, const json_t *request);
void command_undrain(struct control_client *client, const json_t *request);
void command_move(struct control_client *client, const json_t *request);
void command_hold(struct control_client *client, const json_t *request);

/* The member "backend" of a request; NULL: refused. */
MUST_USE
struct fleet_backend *commands_backend(struct control_client *client, const json_t *request);

/* Done; this is how the backend stands now. */
void commands_answer(struct control_client *client, const struct fleet_backend *b);

/* Drains, at the end: workers and clients are gone. */
void drains_close(struct control *control);
/* No more sessions are ended there; whoever watches is told why. */
void drain_stop(struct control *control, const struct fleet_backend *backend, const char *why);

/* What these members are expected to be. */
#define DRAIN_RATES "sessions to end in a second, 1 to 100000"
#define HOLD_TIMES  "a duration from \"0s\" to \"1h\""
