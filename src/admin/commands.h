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
